"""Every address of the interface, asked by everybody: whoever may not gets the same answer as for what there is not.

The rows come from the application's own routes: an address without its row fails.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from api.app import create_app
from db import one_time_codes, requests, sessions
from db.staff import by_username
from db.statements import Statement
from domain.lifecycle import TRANSITIONS, Action
from domain.request import Role
from tests.addresses import addresses
from tests.integration.test_api_citizens import a_picture, upload
from tests.integration.test_api_confidential import SECRET, planted
from tests.integration.test_api_pages import BROWSER
from tests.interface import PASSWORD, Interface, Submitted, an_interface, settings_for

UNKNOWN_REFERENCE = "2611-4829-13704"
NO_TOPIC = "0199c0de-5a1e-7c3b-9d55-2f4a8b6c1e70"

PROGRAMS = ("/api/", "/codec/")
"""Addresses that programs ask, with a token."""

STAFF: dict[str, tuple[list[str], list[str], list[str]]] = {
    # name: roles, departments, led
    "handler": (["handler"], ["housing"], []),
    "handler elsewhere": (["handler"], ["street"], []),
    "handler below": (["handler"], ["north_street"], []),
    "co-handler": (["handler"], ["health"], []),
    "lead above": (["handler"], [], ["city"]),
    "lead elsewhere": (["handler"], [], ["north_street"]),
    "dispatcher": (["dispatcher"], [], []),
    "supervisor": (["supervisor"], [], []),
    "caller": (["caller"], [], []),
    "admin": (["admin"], [], []),
    "without a role": ([], [], []),
}
AWAY = "demonstration account elsewhere"
OUT = ("expired session", "revoked session", "closed account", AWAY)
CITIZENS = ("citizen", "another citizen", "replaced token", "wrong token", "nobody")
EVERYBODY = (*CITIZENS, *STAFF, *OUT)

NEAR = {"handler", "co-handler", "lead above"}
SEE = {False: {*NEAR, "dispatcher", "supervisor", "caller", "admin"}, True: {*NEAR, "dispatcher", "supervisor"}}
"""Who sees a request of housing in which health helps, confidential or not."""


@dataclass(frozen=True)
class Row:
    """What an address answers to whom. `granted` are the answers to whoever may: of the body that is sent here."""

    granted: set[int]
    to: Callable[[str, bool], int | None]
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


def _public(who: str, confidential: bool) -> int | None:
    return None


def _of_this_machine(who: str, confidential: bool) -> int | None:
    return 403 if who == AWAY else None


def _of_citizen(who: str, confidential: bool) -> int | None:
    return None if who == "citizen" else 404


def _of_staff(who: str, confidential: bool) -> int | None:
    return None if who in STAFF else 401


def _of_whom_may_see(who: str, confidential: bool) -> int | None:
    return _of_staff(who, confidential) or (None if who in SEE[confidential] else 404)


def _of_roles(*roles: Role, sees: bool = False) -> Callable[[str, bool], int | None]:
    def answer(who: str, confidential: bool) -> int | None:
        if who not in STAFF:
            return 401
        if not {*roles} & {*STAFF[who][0]}:
            return 403
        return _of_whom_may_see(who, confidential) if sees else None

    return answer


def _of_whom_may_release(who: str, confidential: bool) -> int | None:
    refused = _of_whom_may_see(who, confidential)
    return refused or (None if who in {"lead above", "dispatcher", "supervisor"} else 403)


def _nowhere(who: str, confidential: bool) -> int | None:
    return 404


def public(*granted: int, **sent: Any) -> Row:
    return Row({*granted}, _public, **sent)


def citizen(*granted: int, **sent: Any) -> Row:
    return Row({*granted}, _of_citizen, **sent)


def staff(*granted: int, **sent: Any) -> Row:
    return Row({*granted}, _of_staff, **sent)


def sees(*granted: int, **sent: Any) -> Row:
    return Row({*granted}, _of_whom_may_see, **sent)


SUBMITTING = (Role.DISPATCHER, Role.SUPERVISOR, Role.HANDLER)
NUMBERS = (Role.SUPERVISOR, Role.DISPATCHER, Role.ADMIN, Role.HANDLER)
DISPATCHING = (Role.DISPATCHER, Role.SUPERVISOR)
A_MESSAGE = {"description": "The lamp is out."}
A_PERIOD = {"figure": "submitted", "from": "2026-11-01", "to": "2026-11-30"}

MATRIX: dict[str, Row] = {
    "GET /openapi.json": public(200),
    "GET /docs": public(200),
    "GET /healthz": public(200),
    "GET /readyz": public(200, 503),
    "GET /metrics": Row({200}, _of_this_machine),
    "GET /gateways/kannel/receipts": Row(set(), _nowhere, query={"attempt": str(uuid4()), "signature": "x", "type": "1"}),
    "POST /codec/decode": Row({200}, _of_roles(Role.ADMIN)),
    "POST /codec/encode": Row({200}, _of_roles(Role.ADMIN)),
    # What a browser asks before: no page of the Temporal UI asks here.
    "OPTIONS /codec/{what}": public(403),
    "POST /api/v1/requests": public(201, body=A_MESSAGE),
    "POST /api/v1/similar-answers": public(200, body=A_MESSAGE),
    "GET /api/v1/categories": public(200),
    "GET /api/v1/categories/{code}": public(200),
    "POST /api/v1/requests/{reference}/code": public(202, body={"phone": "13900000009"}),
    "POST /api/v1/requests/{reference}/token": public(404, body={"phone": "13800000001", "code": "000000"}),
    "POST /api/v1/sessions": public(401, body={"username": "handler", "password": "not the password"}),
    "GET /api/v1/requests/{reference}": citizen(200),
    "POST /api/v1/requests/{reference}/supplement": citizen(202, body={"text": "Still dark."}),
    "POST /api/v1/requests/{reference}/answer": citizen(409, body={"text": "The third one."}),
    "POST /api/v1/requests/{reference}/urge": citizen(202, 409),
    "POST /api/v1/requests/{reference}/withdraw": citizen(202),
    "POST /api/v1/requests/{reference}/rate": citizen(409, body={"solved": "yes", "satisfied": 5}),
    "POST /api/v1/requests/{reference}/reopen": citizen(409),
    "POST /api/v1/requests/{reference}/attachments": citizen(415),
    "GET /api/v1/requests/{reference}/attachments/{attachment_id}": citizen(200),
    "POST /api/v1/requests/{reference}/erase": citizen(202),
    "DELETE /api/v1/sessions": staff(204),
    "GET /api/v1/sessions": staff(200),
    "GET /api/v1/staff/sessions": staff(200),
    "DELETE /api/v1/staff/sessions": staff(200),
    "DELETE /api/v1/staff/sessions/{session}": staff(404),
    "GET /api/v1/staff/requests": staff(200),
    "POST /api/v1/staff/requests": Row({201}, _of_roles(*SUBMITTING), body=A_MESSAGE),
    "POST /api/v1/staff/requests/quick-log": Row({422}, _of_roles(*SUBMITTING), body=A_MESSAGE | {
        "department": "moon", "category": "street_light", "outcome": "solved", "done": "Done."
    }),
    "GET /api/v1/staff/requests/{reference}": sees(200),
    "POST /api/v1/staff/requests/{reference}/attachments": sees(415),
    "GET /api/v1/staff/requests/{reference}/attachments/{attachment_id}": sees(200),
    "POST /api/v1/staff/requests/{reference}/actions/{action}": sees(403, 409, 422),
    "GET /api/v1/staff/requests/{reference}/candidates": Row({200}, _of_roles(*DISPATCHING, sees=True)),
    "GET /api/v1/staff/requests/{reference}/precedents": Row({200}, _of_roles(*DISPATCHING, sees=True)),
    "GET /api/v1/staff/requests/{reference}/past-answers": sees(200),
    "GET /api/v1/staff/requests/{reference}/release": sees(200),
    "POST /api/v1/staff/requests/{reference}/release": Row({409}, _of_whom_may_release),
    "DELETE /api/v1/staff/requests/{reference}/release": Row({200}, _of_whom_may_release),
    "GET /api/v1/staff/rates": Row({200}, _of_roles(*NUMBERS)),
    "GET /api/v1/staff/rates/requests": Row({200}, _of_roles(*NUMBERS), query=A_PERIOD),
    "GET /api/v1/staff/outbox": Row({200}, _of_roles(Role.SUPERVISOR, Role.DISPATCHER, Role.ADMIN)),
    "GET /api/v1/staff/policy": staff(200),
    "GET /api/v1/staff/topics": Row({200}, _of_roles(Role.SUPERVISOR)),
    "GET /api/v1/staff/topics/{topic_id}": Row({404}, _of_roles(Role.SUPERVISOR)),
    # Pages. Whoever is not signed in is led to the page where one signs in.
    "GET /": public(200),
    "POST /": public(303, body=A_MESSAGE),
    "GET /find": public(200),
    "POST /find": public(200, body={"reference": UNKNOWN_REFERENCE, "phone": "13900000009"}),
    "POST /find/code": public(422, body={"reference": UNKNOWN_REFERENCE, "phone": "13900000009", "code": "1"}),
    "GET /r/{reference}/{token}": citizen(200),
    "GET /r/{reference}/{token}/photos/{photo_id}": citizen(200),
    "POST /r/{reference}/{token}/attachments": citizen(422),
    "POST /r/{reference}/{token}/erase": citizen(422),
    "POST /r/{reference}/{token}/{action}": citizen(303, 409, 422),
    # No key of theirs opens a question; whose does is in test_api_questions.
    "GET /q/{reference}/{token}": Row(set(), _nowhere),
    "POST /q/{reference}/{token}": Row(set(), _nowhere),
    "GET /staff/sign-in": public(200),
    "POST /staff/sign-in": public(401, body={"username": "handler", "password": "not the password"}),
    "POST /staff/sign-out": staff(303),
    "GET /staff": staff(200),
    "GET /staff/requests/{reference}": sees(200),
    "POST /staff/requests/{reference}/attachments": sees(422),
    "POST /staff/requests/{reference}/actions/{action}": sees(403, 409, 422),
    "GET /staff/numbers": Row({200}, _of_roles(*NUMBERS)),
    "GET /staff/numbers/requests": Row({200}, _of_roles(*NUMBERS), query=A_PERIOD),
}  # fmt: skip


@dataclass(frozen=True)
class Town:
    """The interface with a request, its picture, and one of another citizen."""

    interface: Interface
    away: httpx2.AsyncClient
    request: Submitted
    replaced: str
    picture: UUID
    other: Submitted

    async def token(self, who: str) -> str | None:
        """A fresh one, for an address may end it."""
        kept = {
            "citizen": self.request.token,
            "another citizen": self.other.token,
            "replaced token": self.replaced,
            "wrong token": "x" * 22,
            "nobody": None,
        }
        if who in kept:
            return kept[who]
        pool, now = self.interface.services.pool, self.interface.clock()
        account = await by_username(pool, who)
        assert account is not None
        await pool.execute("update staff set active = true where id = $1", account.id)
        lasts = timedelta(seconds=-1) if who == "expired session" else timedelta(hours=1)
        token = await sessions.open_session(pool, account, now, lasts)
        if who == "revoked session":
            await sessions.revoke_all(pool, account.id)
        if who == "closed account":
            # The account alone: closing it as one does ends its sessions, too.
            await pool.execute("update staff set active = false where id = $1", account.id)
        assert token is not None
        return token

    async def ask(
        self, who: str, address: str, reference: str | None = None, *, with_token: str | None = None, **values: str
    ) -> httpx2.Response:
        """The address as that person asks it, of the request or of another one."""
        row, (method, path), token = MATRIX[address], address.split(), with_token or await self.token(who)
        await self.interface.services.pool.execute("delete from throttles")
        of = {
            "reference": reference or self.request.reference, "token": token or "nothing", "code": "street_light",
            "attachment_id": self.picture, "photo_id": self.picture, "session": "0" * 16, "action": "supplement",
            "topic_id": NO_TOPIC, "what": "decode", **values,
        }  # fmt: skip
        is_page = not path.startswith(PROGRAMS)
        body: dict[str, Any] = {"data" if is_page else "json": row.body} if method == "POST" else {}
        http = self.away if who == AWAY else self.interface.http
        return await http.request(
            method, path.format(**of), params=row.query, headers=_headers(token, is_page=is_page), **body
        )


def _headers(token: str | None, *, is_page: bool) -> dict[str, str]:
    if not is_page:
        return {"Authorization": f"Bearer {token}"} if token else {}
    cookie = {"Cookie": f"huisheng_session={token}"} if token else {}
    return BROWSER | cookie | {"Origin": "http://localhost"}


@pytest.fixture(scope="module")
async def interface(shared_database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(shared_database_url, HUISHENG_DEMO="1") as running:
        yield running


@pytest.fixture(scope="module", params=[False, True], ids=["open", "confidential"])
async def confidential(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
async def town(interface: Interface, confidential: bool) -> AsyncIterator[Town]:
    for name, (roles, departments, leads) in STAFF.items():
        await interface.employ(name, *roles, departments=departments, leads=leads)
    for name in OUT:
        await interface.employ(name, "admin", "supervisor", demo=name == AWAY)
    request = await planted(interface, "in_progress", confidential=confidential, title=SECRET)
    picture = (await upload(interface, request, a_picture())).json()["attachments"][0]["id"]
    services = interface.services
    request_id = await services.pool.fetchval("select id from requests where reference = $1", request.reference)
    token = await requests.replace_token(services.pool, services.keys, request_id)
    async with interface.from_address("192.0.2.7") as away:
        yield Town(
            interface, away, replace(request, token=token), request.token, UUID(picture), await interface.submit()
        )


def test_every_address_has_its_row() -> None:
    known = addresses(create_app(settings_for("postgresql://nobody@nowhere/nothing")))

    assert len(known) > 50
    assert known == MATRIX.keys()


@pytest.mark.parametrize("address", MATRIX)
async def test_each_address_answers_each_person_as_its_row_says(town: Town, confidential: bool, address: str) -> None:
    row, is_page = MATRIX[address], not address.partition(" ")[2].startswith(PROGRAMS)
    for who in EVERYBODY:
        answer = await town.ask(who, address)
        refused = row.to(who, confidential)
        if refused is None:
            assert answer.status_code in row.granted, (who, answer.text)
        elif refused == 401 and is_page:
            assert (answer.status_code, answer.headers["location"][:14]) == (303, "/staff/sign-in"), who
        else:
            assert answer.status_code == refused, (who, answer.text)
            assert SECRET not in answer.text, who


OF_ONE_REQUEST = [address for address in MATRIX if "{reference}" in address]


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that were run, by name."""
    names: list[str] = []
    in_order = Statement._in_order

    def noted(self: Statement, values: dict[str, Any]) -> list[Any]:
        if self.name != "active_version":  # looked up anew every few seconds, whoever asks for whatever
            names.append(self.name)
        return in_order(self, values)

    monkeypatch.setattr(Statement, "_in_order", noted)
    return names


@pytest.mark.parametrize("address", OF_ONE_REQUEST)
async def test_what_one_may_not_see_is_answered_as_what_there_is_not_after_the_same_work(
    town: Town, confidential: bool, address: str, worked: list[str]
) -> None:
    """Not measured by the clock: the same queries are asked of the database."""
    for who in EVERYBODY:
        row = MATRIX[address]
        if row.to(who, confidential) not in (401, 404) and row.to is not _public:
            continue
        said, token = [], await town.token(who)
        for reference in (town.request.reference, UNKNOWN_REFERENCE):
            worked.clear()
            answer = await town.ask(who, address, reference, with_token=token)
            said.append((answer.status_code, answer.text.replace(reference, "REFERENCE"), [*worked]))
        assert said[0] == said[1], who


async def test_exchanging_a_code_is_refused_alike_after_the_same_work(town: Town, worked: list[str]) -> None:
    """Also whether the number belongs to the reference; that each writes as much is in test_db_accounts."""
    services, own = town.interface.services, "13912345678"
    request_id = await services.pool.fetchval("select id from requests where reference = $1", town.request.reference)
    waiting = town.interface.clock() + timedelta(minutes=10)
    await one_time_codes.keep(services.pool, services.keys, request_id, "123456", waiting)
    said = []
    for reference, phone, code in (
        (town.request.reference, own, "654321"),
        (town.request.reference, "13900000009", "123456"),
        (town.other.reference, "13800000001", "123456"),
        (UNKNOWN_REFERENCE, own, "123456"),
    ):
        worked.clear()
        address, body = f"/api/v1/requests/{reference}/token", {"phone": phone, "code": code}
        answer = await town.interface.http.post(address, json=body)
        said.append((answer.status_code, answer.text.replace(reference, "REFERENCE"), [*worked]))

    assert said[0][0] == 404
    assert "try_code" in said[0][2]
    assert said[0] == said[1] == said[2] == said[3]


@pytest.mark.parametrize("action", Action)
async def test_no_action_tells_whoever_does_not_see_the_request_that_there_is_one(
    town: Town, confidential: bool, action: Action
) -> None:
    address = "POST /api/v1/staff/requests/{reference}/actions/{action}"
    for who in EVERYBODY:
        answer = await town.ask(who, address, action=action)
        refused = _of_whom_may_see(who, confidential)
        assert answer.status_code == refused if refused else answer.status_code in (403, 409, 422, 503), (
            who,
            answer.text,
        )


@pytest.mark.parametrize("action", Action)
async def test_an_action_of_others_is_refused_whatever_the_state(
    town: Town, confidential: bool, action: Action
) -> None:
    """Nobody takes an action for which no row of the table names a role that they have."""
    named = {role for row in TRANSITIONS if row.action is action for role in row.roles}
    for who in SEE[confidential]:
        held = {*STAFF[who][0]} | ({"lead"} if STAFF[who][2] else set())
        # Who stands in for whom.
        held |= {"dispatcher", "caller"} if "supervisor" in held else set()
        held |= {"co_handler"} if who in ("co-handler", "lead above") else set()
        if held & named:
            continue
        address = "POST /api/v1/staff/requests/{reference}/actions/{action}"
        answer = await town.ask(who, address, action=action)
        assert answer.status_code in (403, 409), (who, answer.text)


async def test_a_password_opens_no_request_and_a_token_of_a_request_no_session(town: Town) -> None:
    for token in (town.request.token, PASSWORD):
        answer = await town.interface.http.get("/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
