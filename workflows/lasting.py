"""A citizen's request cannot be called off from outside: a run takes note of nothing but its own procedure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from temporalio import workflow

Run = TypeVar("Run", bound=Callable[..., Awaitable[Any]])


def never_cancelled(run: Run) -> Run:
    """A run that a cancellation does not end.

    "Cancel" is a large button in the Temporal UI. Obeyed, it would leave a request that nobody works on and a citizen who
    waits; a request ends by withdrawing, declining or transferring it. When the worker lets go of a run to make room, the
    procedure itself is cancelled, and that is passed on.
    """

    @wraps(run)
    async def lasting(*given: Any) -> Any:
        procedure = asyncio.ensure_future(run(*given))
        while True:
            try:
                return await asyncio.shield(procedure)
            except asyncio.CancelledError:
                if procedure.cancelled():
                    raise
                workflow.logger.warning("a cancellation was ignored: withdraw, decline or transfer the request instead")

    return lasting  # type: ignore[return-value]
