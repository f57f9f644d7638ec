"""How the refusals of an address stand in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from api.errors import KINDS, Problem


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    reason: str
    mend: str


class ProblemAnswer(BaseModel):
    """Every refusal looks like this (RFC 9457). `code` is stable; the sentences are for people and may change."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:huisheng:problem:invalid",
                    "title": "Some fields are missing or wrong",
                    "status": 422,
                    "code": "invalid",
                    "detail": "One field is missing or wrong.",
                    "errors": [
                        {
                            "field": "contact.phone",
                            "reason": "This is not a phone number that can be called.",
                            "mend": "Write a number like 13800138000, or with its country code, like +86 138 0013 8000.",
                        }
                    ],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem]


def problems(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The responses of these kinds of problem, by status, for a route's `responses`."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, "internal", "unavailable", "overloaded"):
        problem = Problem(kind, "")
        told = found.setdefault(problem.status, {"description": "", "content": _CONTENT})
        told["description"] = " or ".join(filter(None, (told["description"], f"`{problem.code}`: {KINDS[kind].title}")))
    return found


_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
