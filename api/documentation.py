"""The Swagger page, from files of an installed package: it works without the Internet, and nobody else sees who reads it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from api.documented import ProblemAnswer

TITLE = "Huisheng (回声)"
DESCRIPTION = """
Every citizen's request gets an answer, and the system can prove it.

* **Citizens** send a request and keep its *token*: it is the key to that one request.
* **Staff** sign in and act on the requests of their departments.
* Times are ISO 8601 in UTC. Every refusal is `application/problem+json` with a stable `code`.
* A message of a citizen is stored before it is answered, even while Temporal is down; a staff action then gets
  `503 engine_unavailable` and nothing was done.
"""
_FILES = "/docs/files"
_TAGS = [
    {"name": "citizens", "description": "Send a request and follow it."},
    {"name": "categories", "description": "What a request can be about, in plain words."},
    {"name": "sessions", "description": "Signing in and out."},
    {"name": "staff", "description": "Working on requests."},
    {"name": "gateways", "description": "What SMS gateways call."},
    {"name": "operation", "description": "Whether the interface works."},
]


def install(app: FastAPI) -> None:
    """Adds /docs and the OpenAPI document behind it."""
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.mount(_FILES, StaticFiles(directory=str(files("fastapi_offline") / "static")), name="docs-files")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=TITLE,
            swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{_FILES}/swagger-ui.css",
            swagger_favicon_url=f"{_FILES}/favicon.png",
        )


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes, tags=_TAGS)
        schemas = document["components"]["schemas"]
        problem = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {}) | {"ProblemAnswer": problem}
        # FastAPI describes its own error body, which nobody gets here.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        _leave_out_unused_answers(document)
        app.openapi_schema = document
    return app.openapi_schema


def _leave_out_unused_answers(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            content = operation["responses"].get("422", {}).get("content", {})
            if "application/json" in content:
                content.clear()
                content["application/problem+json"] = {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}
                operation["responses"]["422"]["description"] = "`invalid`: some fields are missing or wrong"
