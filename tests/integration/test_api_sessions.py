"""Signing in: tokens, cookies, what slows guessing down, and demonstration accounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters

from api.sessions import (
    FAILURES_OF_ADDRESS,
    FAILURES_OF_NAME,
    FAILURES_OF_NAME_ANYWHERE,
    FAILURES_WITHIN,
    SESSION_LASTS,
)
from db import sessions, staff
from db.pool import Pool
from db.staff import Account
from db.statements import Statement
from tests.interface import PASSWORD, QUICK_HASH, Interface, an_interface, problem

SESSIONS = "/api/v1/sessions"
RIGHT = {"username": "lamps", "password": PASSWORD}
WRONG = {"username": "lamps", "password": "not the password"}


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        await running.employ("lamps", "handler", departments=["housing"], leads=["north_street"])
        yield running


async def test_a_session_tells_who_signed_in_and_works_as_a_bearer_token(interface: Interface) -> None:
    answer = await interface.http.post(SESSIONS, json={"username": "LAMPS", "password": PASSWORD})
    interface.http.cookies.clear()

    assert answer.status_code == 201
    session = answer.json()
    assert session["staff"] == {
        "username": "lamps",
        "name": "Lamps",
        "roles": ["handler"],
        "departments": ["housing", "north_street"],
        "leads": ["north_street"],
    }
    who = await interface.http.get(SESSIONS, headers={"Authorization": f"Bearer {session['token']}"})
    assert who.json() == session["staff"]


async def test_the_database_keeps_no_token(interface: Interface) -> None:
    headers = await interface.sign_in("lamps")

    stored = await interface.services.pool.fetchval("select token_hash from sessions")
    assert headers["Authorization"].removeprefix("Bearer ").encode() not in stored
    assert len(stored) == 32


@pytest.mark.parametrize(
    ("body", "active"),
    [
        pytest.param(WRONG, True, id="a wrong password"),
        pytest.param({"username": "nobody", "password": PASSWORD}, True, id="an unknown name"),
        pytest.param(RIGHT, False, id="a closed account"),
    ],
)
async def test_who_may_not_sign_in_learns_nothing_else(
    interface: Interface, body: dict[str, str], active: bool
) -> None:
    await interface.employ("lamps", "handler", departments=["housing"], active=active)
    answer = await interface.http.post(SESSIONS, json=body)

    assert problem(answer, 401, "unauthorized")["detail"] == "There is no such account, or the password is wrong."
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_who_may_not_sign_in_cannot_tell_why_by_the_work_it_takes(
    interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not measured by the clock: one password is compared, by a hash that takes as long, after the same queries."""
    work: list[object] = []
    verify, in_order = PasswordHasher.verify, Statement._in_order

    def verified(self: PasswordHasher, hash: str, password: str) -> bool:
        work.append(extract_parameters(hash))
        return bool(verify(self, hash, password))

    def queried(self: Statement, values: dict[str, Any]) -> list[Any]:
        work.append(self.name)
        return in_order(self, values)

    monkeypatch.setattr(PasswordHasher, "verify", verified)
    monkeypatch.setattr(Statement, "_in_order", queried)
    await interface.employ("closed", "handler", active=False)
    done = []
    for body in (WRONG, {"username": "nobody", "password": PASSWORD}, {"username": "closed", "password": PASSWORD}):
        work.clear()
        problem(await interface.http.post(SESSIONS, json=body), 401, "unauthorized")
        done.append([*work])

    (parameters,) = [each for each in done[0] if not isinstance(each, str)]
    assert parameters == extract_parameters(QUICK_HASH)
    assert done[0] == done[1] == done[2]


async def test_a_password_that_changes_while_somebody_signs_in_with_the_old_one_keeps_them_out(
    interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_session = sessions.open_session

    async def after_the_change(database: Pool, account: Account, *rest: Any) -> str | None:
        await staff.set_password(database, account.username, "another hash")
        return await open_session(database, account, *rest)

    monkeypatch.setattr(sessions, "open_session", after_the_change)
    answer = await interface.http.post(SESSIONS, json=RIGHT)

    assert problem(answer, 401, "unauthorized")["detail"] == "There is no such account, or the password is wrong."
    assert "set-cookie" not in answer.headers


async def test_a_name_is_closed_to_an_address_for_a_while_after_many_failures(interface: Interface) -> None:
    for _ in range(FAILURES_OF_NAME):
        problem(await interface.http.post(SESSIONS, json=WRONG), 401, "unauthorized")

    answer = await interface.http.post(SESSIONS, json=RIGHT)
    problem(answer, 429, "too_many")
    assert 0 < int(answer.headers["retry-after"]) <= FAILURES_WITHIN.total_seconds()
    async with interface.from_address("192.0.2.7") as elsewhere:
        assert (await elsewhere.post(SESSIONS, json=RIGHT)).status_code == 201

    interface.clock.pass_(FAILURES_WITHIN + timedelta(seconds=1))
    assert (await interface.http.post(SESSIONS, json=RIGHT)).status_code == 201


async def test_an_address_is_closed_for_a_while_after_many_failures_with_any_name(interface: Interface) -> None:
    for number in range(FAILURES_OF_ADDRESS):
        await interface.http.post(SESSIONS, json={"username": f"name{number}", "password": "x"})

    problem(await interface.http.post(SESSIONS, json=RIGHT), 429, "too_many")
    async with interface.from_address("192.0.2.7") as elsewhere:
        assert (await elsewhere.post(SESSIONS, json=RIGHT)).status_code == 201


async def test_a_name_is_closed_to_everybody_when_many_addresses_fail(interface: Interface) -> None:
    async def fail(number: int, times: int) -> list[int]:
        async with interface.from_address(f"2001:db8:0:{number:x}::1") as http:
            return [(await http.post(SESSIONS, json=WRONG)).status_code for _ in range(times)]

    # However often an address tries, it counts no more than the limit for one lets through.
    assert await fail(0, 2 * FAILURES_OF_ADDRESS) == [401] * FAILURES_OF_NAME + [429] * (2 * FAILURES_OF_ADDRESS - 10)
    for number in range(1, FAILURES_OF_NAME_ANYWHERE // FAILURES_OF_NAME):
        assert await fail(number, FAILURES_OF_NAME) == [401] * FAILURES_OF_NAME
    problem(await interface.http.post(SESSIONS, json=RIGHT), 429, "too_many")

    interface.clock.pass_(FAILURES_WITHIN + timedelta(seconds=1))
    assert (await interface.http.post(SESSIONS, json=RIGHT)).status_code == 201


async def test_tries_at_the_same_moment_count_as_many(interface: Interface) -> None:
    answers = await asyncio.gather(*(interface.http.post(SESSIONS, json=WRONG) for _ in range(3 * FAILURES_OF_NAME)))

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == FAILURES_OF_NAME
    assert statuses.count(429) == 2 * FAILURES_OF_NAME


async def test_an_office_behind_one_address_signs_in_as_often_as_it_likes(interface: Interface) -> None:
    for _ in range(FAILURES_OF_ADDRESS + 5):
        assert (await interface.http.post(SESSIONS, json=RIGHT)).status_code == 201


async def test_an_address_that_is_closed_closes_no_name(interface: Interface) -> None:
    for number in range(FAILURES_OF_ADDRESS):
        await interface.http.post(SESSIONS, json={"username": f"name{number}", "password": "x"})
    for _ in range(FAILURES_OF_NAME + 1):
        problem(await interface.http.post(SESSIONS, json=WRONG), 429, "too_many")

    async with interface.from_address("192.0.2.7") as elsewhere:
        assert (await elsewhere.post(SESSIONS, json=RIGHT)).status_code == 201


async def test_success_takes_no_failure_of_other_addresses_back(interface: Interface) -> None:
    """Whoever guesses from everywhere gains nothing by the owner's coming and going."""
    for address in ("192.0.2.7", "192.0.2.8"):
        async with interface.from_address(address) as elsewhere:
            for _ in range(FAILURES_OF_NAME):
                await elsewhere.post(SESSIONS, json=WRONG)
    for _ in range(2):
        assert (await interface.http.post(SESSIONS, json=RIGHT)).status_code == 201

    counts = await interface.services.pool.fetch("select count from throttles where count > 0 order by count")
    assert [row["count"] for row in counts] == [FAILURES_OF_NAME] * 4 + [2 * FAILURES_OF_NAME]
    async with interface.from_address("192.0.2.7") as elsewhere:
        problem(await elsewhere.post(SESSIONS, json=RIGHT), 429, "too_many")


async def test_success_forgets_the_failures_of_the_name(interface: Interface) -> None:
    for _ in range(2):
        for _ in range(FAILURES_OF_NAME - 1):
            await interface.http.post(SESSIONS, json=WRONG)
        assert (await interface.http.post(SESSIONS, json=RIGHT)).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic bGFtcHM6eA=="},
        {"Cookie": "huisheng_session=x"},
    ],
)
async def test_without_a_session_staff_addresses_are_closed(interface: Interface, headers: dict[str, str]) -> None:
    problem(await interface.http.get("/api/v1/staff/requests", headers=headers), 401, "unauthorized")


async def test_a_session_ends_by_signing_out_and_by_time(interface: Interface) -> None:
    headers = await interface.sign_in("lamps")
    assert (await interface.http.delete(SESSIONS, headers=headers)).status_code == 204
    problem(await interface.http.get(SESSIONS, headers=headers), 401, "unauthorized")

    interface.tokens.clear()
    headers = await interface.sign_in("lamps")
    interface.clock.pass_(SESSION_LASTS + timedelta(seconds=1))
    problem(await interface.http.get(SESSIONS, headers=headers), 401, "unauthorized")


async def test_a_closed_account_is_out_at_once(interface: Interface) -> None:
    headers = await interface.sign_in("lamps")
    await interface.employ("lamps", "handler", departments=["housing"], active=False)

    problem(await interface.http.get(SESSIONS, headers=headers), 401, "unauthorized")


async def test_the_cookie_serves_pages_of_this_site_only(interface: Interface) -> None:
    answer = await interface.http.post(SESSIONS, json=RIGHT)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()

    assert (await interface.http.get(SESSIONS)).status_code == 200
    problem(await interface.http.delete(SESSIONS), 403, "forbidden")
    problem(await interface.http.delete(SESSIONS, headers={"Origin": "https://evil.example"}), 403, "forbidden")
    assert (await interface.http.delete(SESSIONS, headers={"Origin": "http://localhost"})).status_code == 204


async def test_the_cookie_travels_encrypted_where_the_city_is_reached_from_outside(database_url: str) -> None:
    async with an_interface(database_url, HUISHENG_PUBLIC_URL="https://city.example") as outside:
        await outside.employ("lamps", "handler")
        answer = await outside.http.post(SESSIONS, json=RIGHT)

    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("demo", "address", "status"),
    [("1", "127.0.0.1", 201), ("1", "::1", 201), ("1", "192.0.2.7", 401), ("0", "127.0.0.1", 401)],
)
async def test_a_demonstration_account_works_on_the_demonstrating_machine_only(
    database_url: str, demo: str, address: str, status: int
) -> None:
    async with an_interface(database_url, HUISHENG_DEMO=demo) as interface, interface.from_address(address) as http:
        await interface.employ("lamps", "handler", demo=True)
        answer = await http.post(SESSIONS, json=RIGHT)

    assert answer.status_code == status


async def test_a_session_of_a_demonstration_account_cannot_be_carried_away(database_url: str) -> None:
    async with an_interface(database_url, HUISHENG_DEMO="1") as interface, interface.from_address("192.0.2.7") as away:
        await interface.employ("lamps", "handler", demo=True)
        headers = await interface.sign_in("lamps")

        problem(await away.get(SESSIONS, headers=headers), 401, "unauthorized")
