"""How the players reach the system: through its HTTP interface only, as citizens with a token, as staff with a session.

No error here holds anything that a citizen wrote.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

import httpx2
from PIL import Image

from demonstration.parts import Row

_TRIES = 20
_PAUSE_SECONDS = 0.5
_PAGE_ROWS = 100
_CONNECTIONS = 48


class DemonstrationFailed(Exception):
    """The demonstration cannot go on; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff of the demonstration."""

    username: str
    password: str = field(repr=False)
    roles: tuple[str, ...]
    departments: tuple[str, ...]
    lead: bool

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Account:
        return cls(
            told["username"], told["password"], tuple(told["roles"]), tuple(told["departments"]), bool(told["lead"])
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    reference: str
    token: str = field(repr=False)


class Interface:
    """The interface at one address; sessions are opened when they are first needed."""

    def __init__(self, client: httpx2.AsyncClient, accounts: Sequence[Account]) -> None:
        self.accounts = tuple(accounts)
        self._client = client
        self._sessions: dict[str, str] = {}
        self._signing_in = asyncio.Lock()

    async def submit(self, body: Mapping[str, Any], key: str) -> Receipt:
        """Sends a request, again with the same key where the connection broke, so that it is there once."""
        for _ in range(_TRIES):
            try:
                answer = await self._client.post("/api/v1/requests", json=body, headers={"Idempotency-Key": key})
            except httpx2.TransportError:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if answer.status_code == httpx2.codes.CREATED:
                told = answer.json()
                return Receipt(told["reference"], told["token"])
            raise DemonstrationFailed(f"The interface refused a message: {_reason(answer)}.")
        raise DemonstrationFailed(f"The interface at {self._client.base_url} does not answer any more.")

    async def tell(self, reference: str, token: str, action: str, body: Mapping[str, Any]) -> int:
        """What a citizen says about a request; the status of the answer, 0 for none."""
        path = f"/api/v1/requests/{reference}/{action}"
        return await self._status("POST", path, token, body)

    async def act(self, account: Account, reference: str, action: str, body: Mapping[str, Any]) -> int:
        """What a member of staff does with a request; the status of the answer, 0 for none."""
        path = f"/api/v1/staff/requests/{reference}/actions/{action}"
        return await self._status("POST", path, await self._session(account), body)

    async def add_photo(self, account: Account, reference: str) -> str | None:
        """Adds a picture of nothing in particular to the request; its id, or None where that did not succeed."""
        headers = {"Authorization": f"Bearer {await self._session(account)}"}
        files = {"images": ("done.png", _grey_picture(), "image/png")}
        try:
            answer = await self._client.post(
                f"/api/v1/staff/requests/{reference}/attachments", files=files, headers=headers
            )
        except httpx2.TransportError:
            return None
        return answer.json()["attachments"][0]["id"] if answer.status_code == httpx2.codes.CREATED else None

    async def rows(self, account: Account, since: datetime) -> list[Row]:
        """The staff's list of what was submitted since then, the newest first. Raises httpx2.TransportError."""
        found: list[Row] = []
        parameters: dict[str, str | int] = {"limit": _PAGE_ROWS}
        while True:
            told = await self._read("/api/v1/staff/requests", account, parameters)
            page = [Row.read(row) for row in told["requests"]]
            found += [row for row in page if row.submitted_at >= since]
            if not told["next_cursor"] or page[-1].submitted_at < since:
                return found
            parameters["cursor"] = told["next_cursor"]

    async def rates(self, account: Account, first_on: date, last_on: date) -> dict[str, Any]:
        """The counts and rates of the whole city for those days."""
        period: dict[str, str | int] = {"from": first_on.isoformat(), "to": last_on.isoformat(), "by": "city"}
        told = await self._read("/api/v1/staff/rates", account, period)
        rows: list[dict[str, Any]] = told["rows"]
        return rows[0] if rows else {}

    async def _read(self, path: str, account: Account, parameters: Mapping[str, str | int]) -> Any:
        headers = {"Authorization": f"Bearer {await self._session(account)}"}
        answer = await self._client.get(path, params=dict(parameters), headers=headers)
        if answer.status_code != httpx2.codes.OK:
            raise DemonstrationFailed(f"{path} answered with an error: {_reason(answer)}.")
        return answer.json()

    async def _status(self, method: str, path: str, token: str, body: Mapping[str, Any]) -> int:
        try:
            answer = await self._client.request(
                method, path, json=dict(body), headers={"Authorization": f"Bearer {token}"}
            )
        except httpx2.TransportError:
            return 0
        return answer.status_code

    async def _session(self, account: Account) -> str:
        async with self._signing_in:
            if account.username not in self._sessions:
                body = {"username": account.username, "password": account.password}
                answer = await self._client.post("/api/v1/sessions", json=body)
                if answer.status_code != httpx2.codes.CREATED:
                    raise DemonstrationFailed(f"The account {account.username} could not sign in: {_reason(answer)}.")
                self._sessions[account.username] = answer.json()["token"]
        return self._sessions[account.username]


@asynccontextmanager
async def interface_at(address: str, accounts: Sequence[Account]) -> AsyncIterator[Interface]:
    """Raises DemonstrationFailed where nothing answers there."""
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    # Not by a proxy that the environment names: the system is on this machine.
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=30, trust_env=False) as client:
        try:
            answer = await client.get("/readyz")
        except httpx2.TransportError:
            raise DemonstrationFailed(f"Nothing answers at {address}. Start the system with `make up`.") from None
        if answer.status_code != httpx2.codes.OK:
            raise DemonstrationFailed(f"The system at {address} is not ready. Look at its logs.")
        yield Interface(client, accounts)


@cache
def _grey_picture() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "grey").save(picture, "PNG")
    return picture.getvalue()


def _reason(answer: httpx2.Response) -> str:
    """Status, code, and the fields that are wrong: never what was sent."""
    try:
        told = answer.json()
        fields = ", ".join(error["field"] for error in told.get("errors") or [])
    except (ValueError, TypeError, AttributeError, KeyError):
        return f"status {answer.status_code}"
    return f"status {answer.status_code}, {told.get('code')}" + (f", in {fields}" if fields else "")
