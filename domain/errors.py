"""The errors a person may meet, each with a stable code.

HuishengError
  Refusal              an expected no: the rules forbid it, nothing was changed
    NotAllowed         not_allowed: the state, or a guard, forbids the action now
    Forbidden          forbidden: the role or the department forbids it
    Invalid            invalid: a field is missing or wrong
    Unknown            not_found: no such thing, or not for you
    EngineUnavailable  engine_unavailable: Temporal, or a worker, does not answer
"""

from __future__ import annotations


class HuishengError(Exception):
    """The root of the product's own errors. `code` is stable; the message is a sentence for the reader."""

    code = "error"

    def __init__(self, message: str, **facts: str) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Refusal(HuishengError):
    """An expected no. Nothing was changed."""

    code = "refused"


class NotAllowed(Refusal):
    """The state of the request, or a guard of the process, forbids the action now."""

    code = "not_allowed"


class Forbidden(Refusal):
    """The actor's role or department forbids the action."""

    code = "forbidden"


class Invalid(Refusal):
    """A field of the action is missing or wrong; `facts` may name it as `field`."""

    code = "invalid"


class Unknown(Refusal):
    """No such thing, or none this reader may know of."""

    code = "not_found"


class EngineUnavailable(Refusal):
    """Temporal, or a worker, does not answer. A citizen's message waits for it; a staff action is refused."""

    code = "engine_unavailable"
