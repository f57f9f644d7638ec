"""A second opinion from a language model at an OpenAI-compatible endpoint, for what the classifier is unsure of.

Whatever goes wrong there leaves the classifier's answer as it was, with a code for what happened; nothing is raised, and no
connection of the database is held while the stranger thinks. Keys, texts and answers enter no log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import structlog

from db import second_opinions
from db.pool import Database
from domain.classified import Asked, Classified, Opinion
from domain.policy import Policy
from domain.second_opinion import (
    MOST_ANSWERED,
    Message,
    answered,
    is_wanted,
    most_tokens,
    opinion,
    question,
    with_opinion,
)
from settings import ModelEndpoint

LARGEST_ANSWER = 64 * 1024
"""Bytes. The JSON around a dozen tokens takes one or two thousand."""
FAILURES_IN_A_ROW, REST_SECONDS = 3, 60.0
"""An endpoint that is away costs the first requests its time limit, and those of the next minute nothing."""

_LIMITS = httpx2.Limits(max_connections=20, max_keepalive_connections=5)
_FREE = frozenset({Asked.UNREACHABLE, Asked.REFUSED})
"""Nobody charges for these. Who answered too late, or nonsense, has worked."""
_ITS_FAULT = frozenset({Asked.TIMED_OUT, Asked.UNREACHABLE, Asked.REFUSED, Asked.TOO_LONG, Asked.NOT_UNDERSTOOD})

logger = structlog.get_logger(__name__)


class _NoOpinion(Exception):
    """None was given; with the status that the endpoint answered, where that is why."""

    def __init__(self, asked: Asked, status: int | None = None) -> None:
        super().__init__(asked)
        self.asked = asked
        self.status = status


@dataclass(frozen=True, slots=True)
class _Answer:
    """The code that was chosen, and the tokens of question and answer if the endpoint has counted them."""

    code: str
    tokens: int | None


class SecondOpinion:
    """Only the one address that was configured is ever called: redirects are refused, proxies of the environment not used."""

    def __init__(
        self,
        database: Database,
        endpoint: ModelEndpoint,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`clock` counts seconds and never goes back; that of the running loop unless given."""
        self._database = database
        self._endpoint = endpoint
        self._now = now
        self._clock = clock
        self._failures = 0
        self._rests_until = float("-inf")
        self._client = httpx2.AsyncClient(
            timeout=endpoint.seconds, limits=_LIMITS, trust_env=False, follow_redirects=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def on(self, policy: Policy, classified: Classified, message: Message) -> Classified:
        """What was found, with an opinion where one is wanted. Never raises."""
        if not is_wanted(policy, classified):
            return classified
        try:
            code = await self._ask(policy, question(policy, message))
            self._failures = 0
            said = opinion(classified, code, self._endpoint.model)
        except _NoOpinion as none:
            self._count(none)
            said = Opinion(none.asked, self._endpoint.model)
        except Exception as error:
            # Without the error's text: it can hold anything.
            logger.warning("second_opinion_failed", error=type(error).__qualname__)
            said = Opinion(Asked.FAILED, self._endpoint.model)
        return with_opinion(policy, classified, said)

    async def _ask(self, policy: Policy, messages: list[dict[str, str]]) -> str:
        if self._seconds() < self._rests_until:
            raise _NoOpinion(Asked.RESTING)
        day = self._now().astimezone(ZoneInfo(policy.zone)).date()
        reserved = most_tokens(messages)
        if not await second_opinions.reserve(self._database, day, reserved, self._endpoint.tokens_per_day):
            raise _NoOpinion(Asked.OVER_BUDGET)
        try:
            answer = _read(policy, await self._sent(messages))
        except _NoOpinion as none:
            if none.asked in _FREE:
                await second_opinions.settle(self._database, day, reserved, 0)
            raise
        if answer.tokens is not None:
            await second_opinions.settle(self._database, day, reserved, answer.tokens)
        if not answer.code:
            raise _NoOpinion(Asked.NOT_UNDERSTOOD)
        return answer.code

    async def _sent(self, messages: list[dict[str, str]]) -> bytes:
        body = {
            "model": self._endpoint.model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": MOST_ANSWERED,
            "response_format": {"type": "json_object"},
        }
        try:
            async with (
                asyncio.timeout(self._endpoint.seconds),
                self._client.stream("POST", self._endpoint.address, json=body, headers=self._headers()) as response,
            ):
                if response.status_code != 200:
                    raise _NoOpinion(Asked.REFUSED, response.status_code)
                return await _at_most(LARGEST_ANSWER, response)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise _NoOpinion(Asked.UNREACHABLE) from None
        except (TimeoutError, httpx2.TimeoutException):
            raise _NoOpinion(Asked.TIMED_OUT) from None
        except httpx2.TransportError:  # it hung up, or speaks no HTTP
            raise _NoOpinion(Asked.NOT_UNDERSTOOD) from None

    def _headers(self) -> dict[str, str]:
        # Compressed, a small answer could become a large one.
        plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
        return plain | ({"Authorization": f"Bearer {self._endpoint.key}"} if self._endpoint.key else {})

    def _count(self, none: _NoOpinion) -> None:
        """Several failures in a row, and the endpoint is left alone for a while."""
        if none.asked is Asked.RESTING:
            return
        logger.warning("no_second_opinion", asked=none.asked.value, status=none.status)
        self._failures = self._failures + 1 if none.asked in _ITS_FAULT else 0
        if self._failures >= FAILURES_IN_A_ROW:
            self._rests_until = self._seconds() + REST_SECONDS
            self._failures = 0

    def _seconds(self) -> float:
        return self._clock() if self._clock is not None else asyncio.get_running_loop().time()


async def _at_most(most: int, response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise _NoOpinion(Asked.TOO_LONG)
    return bytes(body)


def _read(policy: Policy, body: bytes) -> _Answer:
    """The code is empty where the answer is none; it may still say what it has cost."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise _NoOpinion(Asked.NOT_UNDERSTOOD) from None
    return _Answer(answered(policy, _content(said)) or "", _tokens(said))


def _content(said: Any) -> object:
    try:
        return said["choices"][0]["message"]["content"]
    except (LookupError, TypeError):
        return None


def _tokens(said: Any) -> int | None:
    try:
        counted = said["usage"]["total_tokens"]
    except (LookupError, TypeError):
        return None
    return counted if type(counted) is int and 0 <= counted < 10**9 else None
