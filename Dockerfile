# One image for the API, the worker and the migrations: docker-compose.yml says which of them a container is.
FROM python:3.13.9-slim-bookworm AS build
WORKDIR /huisheng
COPY requirements.lock ./
RUN python -m venv /environment \
    && /environment/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --no-deps -r requirements.lock
COPY . .
RUN /environment/bin/pip install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.13.9-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home huisheng
COPY --from=build /environment /environment
ENV PATH=/environment/bin:$PATH PYTHONUNBUFFERED=1
USER huisheng
EXPOSE 8000
CMD ["huisheng", "api"]
