# Needs Python 3.11 or newer and make; everything else comes from the lock files.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Two at a time, a file's tests in one process: most of the time one waits for a server.
SIDE_BY_SIDE := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --only-binary :all: --quiet $(if $(UPGRADE),--upgrade)

# Without its files of bytecode pytest would rewrite every test anew on each run.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up down reset test check format lock audit sbom bench overload chaos demo

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: .venv/runtime.installed ## Start the whole system on this machine; Ctrl-C stops it
	@exec $(BIN)/huisheng up

down: .venv/runtime.installed ## Stop the system from another terminal
	@exec $(BIN)/huisheng down

reset: .venv/runtime.installed ## Stop the system and delete all its data (YES=1 does not ask)
	@exec $(BIN)/huisheng reset $(if $(YES),--yes)

test: .venv/development.installed ## Run all tests
	@failed=0; \
	$(SIDE_BY_SIDE) tests/unit tests/workflows tests/replay tests/integration || failed=$$?; \
	$(BIN)/python -m pytest tests/e2e || failed=$$?; \
	exit $$failed

check: .venv/development.installed ## Format, lint, types, import contracts, unit and workflow tests: two minutes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(SIDE_BY_SIDE) -q -m "not slow" tests/unit tests/workflows

format: .venv/development.installed ## Format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: .venv/development.installed ## Write the lock files anew after a change in pyproject.toml (UPGRADE=1: newest versions)
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) pyproject.toml --group build -o requirements.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) pyproject.toml --group build --group dev \
		-c requirements.lock -o requirements-dev.lock

audit: .venv/development.installed ## Ask PyPI's database whether a dependency has a known vulnerability
	@exec $(BIN)/python deploy/audit.py requirements-dev.lock

sbom: .venv/development.installed ## Write the bill of materials of what is installed in production: build/sbom.json (CycloneDX)
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file build/sbom.json

bench: .venv/development.installed ## Measure throughput, waiting times and cost; writes docs/benchmarks.md
	@exec $(BIN)/huisheng bench

chaos: .venv/runtime.installed ## Break a system of its own under load (REQUESTS=2000 FAULTS=200, SEED is drawn), then compare
	@exec $(BIN)/huisheng chaos --requests $(or $(REQUESTS),2000) --faults $(or $(FAULTS),200) $(if $(SEED),--seed $(SEED))

overload: .venv/development.installed ## Send a system of its own twice what it can take in, for SECONDS=1800; writes docs/overload.md
	@exec $(BIN)/huisheng overload --seconds $(or $(SECONDS),1800)

demo: .venv/runtime.installed ## Send real messages (FROM=FILE, COUNT=500) through the running system
	@exec $(BIN)/huisheng demo --from "$(FROM)" --count $(or $(COUNT),500)

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Huisheng needs Python 3.11 or newer, and $(PYTHON) is older or missing." \
			"Name a newer one: make PYTHON=python3.12 up"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# The environment is made anew from a lock file only when that file has changed.
.venv/runtime.installed: requirements.lock pyproject.toml | .venv/python
	@echo "Installing what requirements.lock names; the first time takes a minute or two."
	$(PIP) install --require-hashes --only-binary :all: --no-deps -r requirements.lock
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

.venv/development.installed: requirements-dev.lock pyproject.toml | .venv/python
	@echo "Installing what requirements-dev.lock names; the first time takes a minute or two."
	$(PIP) install --require-hashes --only-binary :all: --no-deps -r requirements-dev.lock
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@ .venv/runtime.installed
