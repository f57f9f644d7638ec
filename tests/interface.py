"""The HTTP interface for tests: the real application on a real database, called in process."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
from argon2 import PasswordHasher
from fastapi import FastAPI

from api.app import create_app
from api.passwords import Passwords
from api.services import Services, system_clock
from db import policies, staff
from db.staff import NewAccount, Place
from domain.policy import Policy, to_plain
from settings import Settings
from tests.builders import MONDAY_NINE
from tests.city import a_city
from tests.servers import free_port

PASSWORD = "a password for tests"
KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
QUICK_HASH = _QUICK.hash(PASSWORD)


def quick_passwords() -> Passwords:
    """As in production, but for the time that each of them takes."""
    return Passwords(_QUICK)


class Clock:
    """What time it is; a test moves it, also backwards."""

    def __init__(self, now: datetime = MONDAY_NINE) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, length: timedelta) -> None:
        self.now += length


@dataclass
class Interface:
    """`http` calls the interface as an anonymous citizen from `address`."""

    app: FastAPI
    http: httpx2.AsyncClient
    services: Services
    clock: Clock
    tokens: dict[str, str] = field(default_factory=dict)

    def from_address(self, address: str, **options: Any) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.app, client=(address, 50000), raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://localhost", **options)

    async def submit(self, **changes: Any) -> Submitted:
        body = {"description": "The street light before our door is out.", "contact": {"phone": "13800000001"}}
        answer = await self.http.post("/api/v1/requests", json=body | changes)
        assert answer.status_code == 201, answer.text
        return Submitted(**answer.json())

    async def row(self, query: str, *values: Any) -> asyncpg.Record:
        """The one row that there is."""
        found = await self.services.pool.fetchrow(query, *values)
        assert found is not None
        return found

    async def tell(self, request: Submitted, action: str, **body: Any) -> httpx2.Response:
        """What the citizen of that request says."""
        return await self.http.post(
            f"/api/v1/requests/{request.reference}/{action}", json=body, headers=request.headers
        )

    async def look_up(self, request: Submitted, **headers: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/v1/requests/{request.reference}", headers=request.headers | headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def move(self, request: Submitted, state: str, **columns: Any) -> None:
        """Puts the read model where an engine would have brought it."""
        values = {"state": state, "sequence": 3, **columns}
        assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=2))
        await self.services.pool.execute(
            f"update snapshots set {assignments} where reference = $1", request.reference, *values.values()
        )

    async def employ(
        self, username: str, *roles: str, departments: Sequence[str] = (), leads: Sequence[str] = (), **changes: Any
    ) -> UUID:
        """Adds an account that can sign in with PASSWORD."""
        places = tuple(Place(code, lead=code in leads) for code in dict.fromkeys((*departments, *leads)))
        account = NewAccount(username, username.title(), QUICK_HASH, roles, places, **changes)
        return await staff.save(self.services.pool, self.services.keys, account, self.clock())

    async def sign_in(self, username: str) -> dict[str, str]:
        """The headers of a session; one session for each name."""
        if username not in self.tokens:
            answer = await self.http.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            self.http.cookies.clear()
            self.tokens[username] = answer.json()["token"]
        return {"Authorization": f"Bearer {self.tokens[username]}"}

    async def act(
        self,
        username: str,
        request: Submitted,
        action: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> httpx2.Response:
        """A staff action, with an idempotency key where one is given."""
        address = f"/api/v1/staff/requests/{request.reference}/actions/{action}"
        headers = await self.sign_in(username) | ({"Idempotency-Key": key} if key else {})
        return await self.http.post(address, json=body or {}, headers=headers)

    async def as_staff(self, username: str, address: str, **options: Any) -> httpx2.Response:
        return await self.http.get(f"/api/v1/staff{address}", headers=await self.sign_in(username), **options)


@dataclass(frozen=True)
class Submitted:
    """The receipt of a submission."""

    reference: str
    token: str
    state: str
    submitted_at: str
    status_url: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def settings_for(database_url: str, temporal_address: str | None = None, **changes: str) -> Settings:
    """Without a `temporal_address`, one where nobody listens."""
    return Settings.from_environment(
        {
            "DATABASE_URL": database_url,
            "HUISHENG_KEYS": KEYS,
            "TEMPORAL_ADDRESS": temporal_address or f"127.0.0.1:{free_port()}",
            "HUISHENG_PUBLIC_URL": "http://localhost",
            **changes,
        }
    )


@asynccontextmanager
async def an_interface(
    database_url: str, temporal_address: str | None = None, *,
    policy: Policy | None = None, real_time: bool = False, **changes: str,
) -> AsyncIterator[Interface]:  # fmt: skip
    clock = Clock()
    now = system_clock if real_time else clock
    settings = settings_for(database_url, temporal_address, **changes)
    app = create_app(settings, now=now, passwords=quick_passwords())
    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        city = policy or a_city()
        await policies.activate(services.pool, city.version, "Small City", to_plain(city), clock())
        interface = Interface(app, None, services, clock)  # type: ignore[arg-type]
        async with interface.from_address("127.0.0.1") as http:
            interface.http = http
            yield interface


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, after checking that it looks as every refusal does."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
