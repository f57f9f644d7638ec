"""Citizens and staff: they speak HTTP like everybody else, do not give up, and have every promise written down."""

from __future__ import annotations

import asyncio
import io
import random
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

import httpx2
from PIL import Image

from chaos.ledger import Acted, Heard, Ledger, Line, Sent
from demonstration.interface import Account

PATIENCE_SECONDS = 240.0
_PAUSE_SECONDS = (0.5, 2.5)
"""Somewhat less than what the interface asks for with Retry-After: people are impatient, but not all at the same moment."""
_ASK_AGAIN = frozenset({429, 503})
_NOTHING_STORED = "Nothing was stored"
_NO = frozenset({403, 404, 409, 422})
_HEADERS = Mapping[str, str]


class GaveUp(Exception):
    """No answer for so long that a person would be right to call the system dead."""


class People:
    """Everybody who calls the interface."""

    def __init__(self, http: httpx2.AsyncClient, accounts: Sequence[Account], ledger: Ledger) -> None:
        self.accounts = tuple(accounts)
        self.ledger = ledger
        self._http = http
        self._sessions: dict[str, str] = {}
        self._signing_in = asyncio.Lock()

    async def submit(self, number: int, description: str, phone: str, key: str) -> Sent:
        """Repeated, where need be, with the same key, so that it is there once."""
        body = {"description": description, "contact": {"phone": phone}, "language": "zh"}
        answer = await self._ask("POST", "/requests", {"Idempotency-Key": key}, json=body)
        if answer.status_code != httpx2.codes.CREATED:
            raise GaveUp(f"request {number} was refused with {answer.status_code}")
        told = answer.json()
        sent = Sent(number, told["reference"], told["token"], description, phone)
        self.ledger.sent[sent.reference] = sent
        return sent

    async def tell(self, sent: Sent, action: str, body: Mapping[str, Any] | None = None) -> bool:
        """What the citizen says about the request; False where it is refused. Each try may be heard."""
        path, headers = f"/requests/{sent.reference}/{action}", {"Authorization": f"Bearer {sent.token}"}
        answer = await self._ask("POST", path, headers, maybe=(sent.reference, action), json=dict(body or {}))
        if answer.status_code != httpx2.codes.ACCEPTED:
            return self._refused(answer, action)
        accepted_at = datetime.fromisoformat(answer.json()["accepted_at"])
        self.ledger.heard[sent.reference].append(Heard(action, accepted_at))
        return True

    async def look(self, sent: Sent) -> dict[str, Any]:
        """The request as its citizen sees it; what was read once must never be unsaid."""
        headers = {"Authorization": f"Bearer {sent.token}"}
        answer = await self._ask("GET", f"/requests/{sent.reference}", headers)
        if answer.status_code != httpx2.codes.OK:
            raise GaveUp(f"the citizen of {sent.reference} is told {answer.status_code}")
        told: dict[str, Any] = answer.json()
        lines = tuple(Line(datetime.fromisoformat(line["at"]), line["kind"]) for line in told["timeline"])
        before = self.ledger.read.get(sent.reference, ())
        if not {*before} <= {*lines}:
            self.ledger.wrong.append(f"{sent.reference}: a line of the timeline that its citizen had read is gone")
        self.ledger.read[sent.reference] = lines
        return told

    async def act(self, account: Account, reference: str, action: str, key: str, body: Mapping[str, Any]) -> bool:
        """A staff action with its own key until it is done or refused; False where it is refused."""
        path = f"/staff/requests/{reference}/actions/{action}"
        headers = {**await self._session(account), "Idempotency-Key": key}
        answer = await self._ask("POST", path, headers, json=dict(body))
        if answer.status_code != httpx2.codes.OK:
            return self._refused(answer, action)
        told = answer.json()
        acted = Acted(action, account.username, told["state"], told["sequence"])
        if acted not in self.ledger.acted[reference]:
            self.ledger.acted[reference].append(acted)
        return True

    async def see(self, account: Account, reference: str) -> dict[str, Any]:
        """The request as that member of staff sees it."""
        answer = await self._ask("GET", f"/staff/requests/{reference}", await self._session(account))
        if answer.status_code != httpx2.codes.OK:
            raise GaveUp(f"{account.username} is told {answer.status_code} of {reference}")
        told: dict[str, Any] = answer.json()
        return told

    async def add_photo(self, account: Account, reference: str) -> str | None:
        """A picture of nothing in particular; its id, or None where it is refused."""
        files = {"images": ("done.png", _grey_picture(), "image/png")}
        path = f"/staff/requests/{reference}/attachments"
        answer = await self._ask("POST", path, await self._session(account), files=files)
        if answer.status_code != httpx2.codes.CREATED:
            self._refused(answer, "attachments")
            return None
        photo = str(answer.json()["attachments"][0]["id"])
        self.ledger.photos[reference].append(photo)
        return photo

    def handler_of(self, department: str, *, lead: bool = False) -> Account:
        own = [each for each in self.accounts if "handler" in each.roles and department in each.departments]
        return next((each for each in own if each.lead == lead), own[0])

    def with_role(self, role: str) -> Account:
        return next(each for each in self.accounts if role in each.roles)

    def _refused(self, answer: httpx2.Response, action: str) -> bool:
        if answer.status_code not in _NO:
            self.ledger.wrong.append(f"{action} was answered {answer.status_code}")
        self.ledger.refused[f"{action} {answer.status_code}"] += 1
        return False

    async def _session(self, account: Account) -> dict[str, str]:
        async with self._signing_in:
            if account.username not in self._sessions:
                body = {"username": account.username, "password": account.password}
                answer = await self._ask("POST", "/sessions", {}, json=body)
                if answer.status_code != httpx2.codes.CREATED:
                    raise GaveUp(f"{account.username} could not sign in: {answer.status_code}")
                self._http.cookies.clear()
                self._sessions[account.username] = answer.json()["token"]
        return {"Authorization": f"Bearer {self._sessions[account.username]}"}

    async def _ask(
        self, method: str, path: str, headers: _HEADERS, maybe: tuple[str, str] | None = None, **content: Any
    ) -> httpx2.Response:
        """Until there is an answer. `maybe` is what is counted as perhaps done where one try has none.

        Each try of that says which one it is, where it says something.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        for number in count(1):
            status, sent = 0, _numbered(content, number) if maybe is not None else content
            try:
                answer = await self._http.request(method, f"/api/v1{path}", headers=dict(headers), **sent)
            except httpx2.TransportError:
                self.ledger.broken += 1
            else:
                status = answer.status_code
                self.ledger.statuses[status] += 1
                self._look_at(answer, method, path)
                if status not in _ASK_AGAIN:
                    return answer
                if maybe is not None and _NOTHING_STORED in answer.json()["detail"] and "text" in sent["json"]:
                    self.ledger.denied[maybe[0]].append(sent["json"]["text"])
            if maybe is not None:
                self.ledger.unanswered[maybe] += 1
            if time.monotonic() > deadline:
                raise GaveUp(f"no answer to {method} for {PATIENCE_SECONDS:.0f} seconds, the last one was {status}")
            await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))  # nosec B311 - nothing to be kept from guessing
        raise AssertionError("there is no end of numbers")

    def _look_at(self, answer: httpx2.Response, method: str, path: str) -> None:
        # The path holds references at most; what is said is code and incident number, never what was sent.
        if answer.status_code in _ASK_AGAIN and "retry-after" not in answer.headers:
            self.ledger.wrong.append(f"{method} {path} was answered {answer.status_code} without Retry-After")
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR and answer.status_code not in _ASK_AGAIN:
            told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            self.ledger.wrong.append(f"{method} {path} was answered {answer.status_code} {told.get('incident', '')}")


def _numbered(content: Mapping[str, Any], number: int) -> dict[str, Any]:
    body = content["json"]
    return {"json": {**body, "text": f"{body['text']}（第{number}次）"} if "text" in body else body}


@cache
def _grey_picture() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "grey").save(picture, "PNG")
    return picture.getvalue()
