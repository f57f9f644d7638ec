"""Under which request's reference the lines of the log stand while an answer is made: that which the address names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import structlog

# What is none may be anything, also a phone number that was put in the wrong field; with the country's code that has as many
# digits as a reference, but never a month where it has one.
_REFERENCE = re.compile(r"\d\d(0[1-9]|1[0-2])-?\d{4}-?\d{5}", re.ASCII)


def named_reference(scope: Mapping[str, Any]) -> str | None:
    """The reference in the address, as it was written there; None where there is none, or something else in its place."""
    named = scope.get("path_params", {}).get("reference")
    return named if isinstance(named, str) and _REFERENCE.fullmatch(named) else None


def name_reference(scope: Mapping[str, Any]) -> None:
    """Each line that is logged from here on for this address names its request."""
    if (reference := named_reference(scope)) is not None:
        structlog.contextvars.bind_contextvars(reference=reference)
