"""Sessions seen and ended from elsewhere: one's own, and for an admin anybody's; by address and by command."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.interface import KEYS, PASSWORD, Interface, an_interface, problem

PROJECT = Path(__file__).parents[2]
OPEN = "/api/v1/staff/sessions"
Headers = dict[str, str]


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url, real_time=True) as running:
        await running.employ("lamps", "handler", departments=["housing"])
        await running.employ("doors", "handler", departments=["housing"])
        await running.employ("boss", "supervisor")
        await running.employ("root", "admin")
        yield running


async def signed_in(interface: Interface, username: str = "lamps") -> Headers:
    interface.tokens.clear()
    return await interface.sign_in(username)


async def listed(interface: Interface, headers: Headers, **query: str) -> list[dict[str, Any]]:
    answer = await interface.http.get(OPEN, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["sessions"]
    return found


async def works(interface: Interface, headers: Headers) -> bool:
    return (await interface.http.get("/api/v1/sessions", headers=headers)).status_code == 200


async def huisheng(database_url: str, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "staff", *arguments, cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": KEYS},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


async def test_a_person_sees_and_ends_one_session_of_their_own(interface: Interface) -> None:
    first, second = await signed_in(interface), await signed_in(interface)
    sessions = await listed(interface, second)
    assert [each["current"] for each in sessions] == [True, False]

    assert (await interface.http.delete(f"{OPEN}/{sessions[1]['session']}", headers=second)).status_code == 204
    assert (await works(interface, first), await works(interface, second)) == (False, True)
    problem(await interface.http.delete(f"{OPEN}/{sessions[1]['session']}", headers=second), 404, "not_found")


async def test_a_person_signs_out_everywhere(interface: Interface) -> None:
    first, second, other = await signed_in(interface), await signed_in(interface), await signed_in(interface, "doors")
    answer = await interface.http.delete(OPEN, headers=second)

    assert answer.json() == {"ended": 2}
    assert [await works(interface, each) for each in (first, second, other)] == [False, False, True]


async def test_the_name_of_a_session_opens_nothing(interface: Interface) -> None:
    headers = await signed_in(interface)
    (session,) = await listed(interface, headers)

    assert session["session"] not in headers["Authorization"]
    assert not await works(interface, {"Authorization": f"Bearer {session['session']}"})


async def test_an_ended_session_is_not_listed(database_url: str) -> None:
    async with an_interface(database_url) as interface:
        await interface.employ("lamps", "handler")
        await signed_in(interface)
        interface.clock.pass_(timedelta(hours=13))
        assert len(await listed(interface, await signed_in(interface))) == 1


async def test_an_admin_ends_those_of_anybody(interface: Interface) -> None:
    first, second, admin = await signed_in(interface), await signed_in(interface), await signed_in(interface, "root")
    sessions = await listed(interface, admin, username="LAMPS")
    address = f"{OPEN}/{sessions[-1]['session']}"

    assert (await interface.http.delete(address, headers=admin, params={"username": "lamps"})).status_code == 204
    assert (await works(interface, first), await works(interface, second)) == (False, True)
    assert (await interface.http.delete(OPEN, headers=admin, params={"username": "lamps"})).json() == {"ended": 1}
    assert await works(interface, admin)


@pytest.mark.parametrize("username", ["doors", "nobody"])
@pytest.mark.parametrize("who", ["lamps", "boss"])
async def test_nobody_else_learns_even_whether_there_is_such_an_account(
    interface: Interface, who: str, username: str
) -> None:
    headers, other = await signed_in(interface, who), await signed_in(interface, "doors")
    (session,) = await listed(interface, other)
    for method, address in (("GET", OPEN), ("DELETE", OPEN), ("DELETE", f"{OPEN}/{session['session']}")):
        answer = await interface.http.request(method, address, headers=headers, params={"username": username})
        assert problem(answer, 403, "forbidden")["detail"] == "This needs the role admin."
    assert (await interface.http.delete(f"{OPEN}/{session['session']}", headers=headers)).status_code == 404
    assert await works(interface, other)


async def test_an_admin_is_told_that_there_is_no_such_account(interface: Interface) -> None:
    answer = await interface.http.get(OPEN, headers=await signed_in(interface, "root"), params={"username": "nobody"})

    problem(answer, 404, "not_found")


async def test_another_site_ends_no_session_by_the_cookie(interface: Interface) -> None:
    answer = await interface.http.post("/api/v1/sessions", json={"username": "lamps", "password": PASSWORD})
    headers = {"Origin": "https://evil.example"}

    problem(await interface.http.delete(OPEN, headers=headers), 403, "forbidden")
    assert await works(interface, {"Authorization": f"Bearer {answer.json()['token']}"})


async def test_commands_list_and_end_sessions(interface: Interface, database_url: str) -> None:
    first, second = await signed_in(interface), await signed_in(interface)
    code, output = await huisheng(database_url, "sessions", "Lamps")
    names = [line.split()[0] for line in output.splitlines()]
    assert (code, len(names)) == (0, 2)

    assert await huisheng(database_url, "sign-out", "lamps", "--session", names[1]) == (
        0,
        "Ended 1 session of lamps.\n",
    )
    assert (await works(interface, first), await works(interface, second)) == (False, True)
    code, output = await huisheng(database_url, "sign-out", "lamps", "--session", names[1])
    assert (code, output.startswith(f"Error: lamps has no session {names[1]}.")) == (1, True)
    assert (await huisheng(database_url, "sign-out", "lamps"))[1] == "Ended 1 session of lamps.\n"
    assert (await huisheng(database_url, "sessions", "lamps"))[1] == "lamps is signed in nowhere.\n"
    assert (await huisheng(database_url, "sign-out", "nobody"))[0] == 1
