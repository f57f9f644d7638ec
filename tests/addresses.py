"""Every address of the interface, as the application itself knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from starlette.routing import Mount


def addresses(app: FastAPI) -> set[str]:
    """As in "GET /api/v1/requests/{reference}", pages too; without HEAD, and without folders of files."""
    return {f"{method} {route.path}" for route in _routes(app) for method in route.methods or () if method != "HEAD"}


def _routes(app: FastAPI) -> Iterator[Any]:
    for route in app.routes:
        if hasattr(route, "effective_route_contexts"):
            # A router that was included: what it holds is found when it is asked.
            for found in route.effective_route_contexts():
                yield getattr(found, "starlette_route", None) or found
        elif not isinstance(route, Mount):
            yield route
