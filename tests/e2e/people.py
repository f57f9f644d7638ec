"""Citizens and staff of a live system: they speak HTTP like everybody else, and some of them do not give up."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
from argon2 import PasswordHasher

from cli.demo_accounts import demo_accounts
from db import staff
from db.pool import open_pool
from tests.e2e.system import LiveSystem

PASSWORD = "a password for tests"
PATIENCE_SECONDS = 240.0
PHONE = "+8613800000001"


@dataclass(frozen=True)
class Receipt:
    """What a citizen was given."""

    reference: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Caller:
    """Everybody who calls the interface. `broken` counts the calls that were never answered, `answered` the statuses."""

    http: httpx2.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)
    answered: Counter[int] = field(default_factory=Counter)
    broken: int = 0

    # Once.

    async def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> httpx2.Response:
        answer = await self.http.post(f"/api/v1{path}", json=dict(body or {}), headers=headers)
        self.answered[answer.status_code] += 1
        return answer

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        answer = await self.http.get(f"/api/v1{path}", headers=headers)
        self.answered[answer.status_code] += 1
        return answer

    async def tell(self, receipt: Receipt, action: str, **body: Any) -> httpx2.Response:
        """What the citizen says about the request."""
        return await self.post(f"/requests/{receipt.reference}/{action}", body, **receipt.headers)

    async def standing(self, receipt: Receipt) -> dict[str, Any]:
        """As the citizen sees it."""
        found = await self.persistently("GET", f"/requests/{receipt.reference}", None, receipt.headers)
        assert found.status_code == 200, found.text
        standing: dict[str, Any] = found.json()
        return standing

    async def sign_in(self, username: str) -> dict[str, str]:
        """The headers of a session; one session for each name."""
        if username not in self.tokens:
            answer = await self.persistently("POST", "/sessions", {"username": username, "password": PASSWORD}, {})
            assert answer.status_code == 201, answer.text
            self.http.cookies.clear()
            self.tokens[username] = answer.json()["token"]
        return {"Authorization": f"Bearer {self.tokens[username]}"}

    async def act(self, username: str, reference: str, action: str, **body: Any) -> httpx2.Response:
        """A staff action, tried once."""
        return await self.post(_address(reference, action), body, **await self.sign_in(username))

    # Until there is an answer.

    async def persistently(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx2.Response:
        """Repeats the call after a broken connection and after 503, for minutes; any other answer is given."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self.http.request(method, f"/api/v1{path}", json=body, headers=dict(headers))
            except httpx2.TransportError:
                self.broken += 1
            else:
                self.answered[answer.status_code] += 1
                if answer.status_code != 503:
                    return answer
                assert "retry-after" in answer.headers, answer.text
            assert time.monotonic() < deadline, f"no answer to {method} {path} for {PATIENCE_SECONDS:.0f} seconds"
            await asyncio.sleep(0.15)

    async def submit(self, description: str = "The street light before our door is out.", **changes: Any) -> Receipt:
        """Repeated, where need be, with the same Idempotency-Key."""
        body = {"description": description, "contact": {"phone": PHONE}, "language": "en", **changes}
        answer = await self.persistently("POST", "/requests", body, {"Idempotency-Key": uuid4().hex})
        assert answer.status_code == 201, answer.text
        return Receipt(answer.json()["reference"], answer.json()["token"])

    async def get_done(self, username: str, reference: str, action: str, **body: Any) -> httpx2.Response:
        """A staff action, repeated with the same Idempotency-Key until it is done or refused."""
        headers = {**await self.sign_in(username), "Idempotency-Key": uuid4().hex}
        return await self.persistently("POST", _address(reference, action), body, headers)


def _address(reference: str, action: str) -> str:
    return f"/staff/requests/{reference}/actions/{action}"


async def hire(live: LiveSystem) -> None:
    """The demonstration accounts for the city's policy, all with PASSWORD, hashed with as little work as can be."""
    quick_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with open_pool(live.system.database.url(), size=1) as pool:
        for account in demo_accounts(live.policy, quick_hash):
            await staff.save(pool, live.keys, account, datetime.now(UTC))


def a_caller(live: LiveSystem, timeout_seconds: float = 30) -> Caller:
    """For `async with caller.http`."""
    client = httpx2.AsyncClient(base_url=live.system.api, timeout=timeout_seconds, trust_env=False)
    return Caller(client)
