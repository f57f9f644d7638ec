"""Programs, databases and policies that do not belong together, several workers side by side, and clocks that jump."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from db.migrations import known_versions, migrate
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from supervision.system import huisheng
from tests.e2e.books import actions_of, balance, calm, events_of
from tests.e2e.people import Caller, Receipt
from tests.e2e.system import LivePart, LiveSystem, until
from tests.interface import an_interface

pytestmark = pytest.mark.e2e

(NEEDED,) = known_versions()[-1:]
FUTURE = "29991231235959"
SENTENCES = {
    "older": f"The database is at version none, this program needs {NEEDED}: run `huisheng db migrate`.",
    "too_new": (
        f"The database is at version {FUTURE}, with which programs older than {FUTURE} cannot work; "
        f"this one is of {NEEDED}: install the newer program."
    ),
}


async def a_database(live: LiveSystem, age: str) -> str:
    """A database that a program of another version has left."""
    server = live.system.database
    name = f"{age}_{uuid4().hex[:8]}"
    await asyncio.to_thread(server.make_database, name)
    if age == "too_new":
        await asyncio.to_thread(migrate, server.url(name))
        connection = await asyncpg.connect(server.url(name))
        await connection.execute("insert into schema_migrations (version) values ($1)", FUTURE)
        await connection.execute("update compatible_from set version = $1", FUTURE)
        await connection.close()
    return server.url(name)


@pytest.mark.parametrize("age", SENTENCES)
@pytest.mark.parametrize("part", ["worker", "api"])
async def test_part_does_not_start_on_a_database_that_does_not_fit(live: LiveSystem, part: str, age: str) -> None:
    changes = {"DATABASE_URL": await a_database(live, age), "HUISHENG_API_PORT": "1"}
    status, _, complained = await live.run(*live.parts[part].part.command(), **changes)
    assert status == 1
    assert complained.removeprefix("Error: ").strip() == SENTENCES[age]


async def test_api_that_runs_says_when_the_database_has_left_it_behind(live: LiveSystem, caller: Caller) -> None:
    await live.look("insert into schema_migrations (version) values ($1)", FUTURE)
    (before,) = await live.look("select version from compatible_from")
    try:
        assert (await caller.http.get("/readyz")).status_code == 200
        await live.look("update compatible_from set version = $1", FUTURE)
        answer = await caller.http.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "other_version")
    finally:
        await live.look("delete from schema_migrations where version = $1", FUTURE)
        await live.look("update compatible_from set version = $1", before["version"])
    assert (await caller.http.get("/readyz")).status_code == 200


MISTAKES: dict[str, tuple[str, str]] = {
    "city.toml": ("zone = ", "zona = "),
    "departments.toml": ('parent = "supervision"', 'parent = "nowhere"'),
    "chains.toml": ("working day", "woking day"),
}


async def test_policy_with_mistakes_is_refused_and_the_last_good_one_goes_on(
    live: LiveSystem, caller: Caller, tmp_path: Path
) -> None:
    folder = shutil.copytree(DEFAULT_POLICY_DIRECTORY, tmp_path / "policy")
    for name, (right, wrong) in MISTAKES.items():
        text = (folder / name).read_text()
        assert right in text
        (folder / name).write_text(text.replace(right, wrong, 1))
    status, said, complained = await live.run(*huisheng("policy", "load", str(folder)))
    assert status == 1
    assert [name for name in MISTAKES if name not in said] == []
    assert "Traceback" not in said + complained
    assert f"version {live.policy.version} stays active" in complained
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    assert await policy_of(live, receipt) == live.policy.version


async def test_policy_is_taken_up_without_a_restart_and_requests_under_way_keep_theirs(
    live: LiveSystem, caller: Caller
) -> None:
    before = live.policy
    old = await caller.submit()
    await calm(live, [old.reference])
    status, said, complained = await live.run(*huisheng("policy", "load", str(DEFAULT_POLICY_DIRECTORY)))
    assert (status, complained) == (0, "")
    (loaded,) = await live.look("select version from policies where active")
    assert loaded["version"] in said

    async def is_taken_up() -> bool:
        new = await caller.submit("路灯不亮了，晚上很黑。")
        await calm(live, [new.reference])
        return bool(await policy_of(live, new) == loaded["version"])

    try:
        await until(is_taken_up, 60, "that new requests follow the new policy")
        # What a person does with the old request is planned anew; what the clocks and the citizen do is not.
        assert (await caller.tell(old, "supplement", text="More.")).status_code == 202
        assert (await caller.get_done("housing", old.reference, "accept")).status_code == 200
        assert await policy_of(live, old) == before.version
        assert (await caller.standing(old))["category"] == "street_light"
    finally:
        live.policy = load_folder(DEFAULT_POLICY_DIRECTORY)
        await live.adopt(before)


async def policy_of(live: LiveSystem, receipt: Receipt) -> str:
    return str(await live.value("select policy_version from snapshots where reference = $1", receipt.reference))


@asynccontextmanager
async def beside(live: LiveSystem, name: str) -> AsyncIterator[LivePart]:
    """A second one of that part."""
    second = live.another(name)
    try:
        await second.start()
        yield second
    finally:
        second.kill()


async def test_two_workers_share_the_work_and_do_nothing_twice(live: LiveSystem, caller: Caller) -> None:
    async with beside(live, "worker") as second:
        receipts = await asyncio.gather(*(caller.submit() for _ in range(20)))
        told = await asyncio.gather(*(caller.tell(receipt, "supplement", text="More.") for receipt in receipts))
        assert {answer.status_code for answer in told} == {202}
        references = [receipt.reference for receipt in receipts]
        await calm(live, references)
        attempts = await live.look(
            "select distinct attempts from inbox join snapshots using (request_id) where reference = any ($1::text[])",
            references,
        )
        assert [row["attempts"] for row in attempts] == [1]
        second.kill()
        accepted = await asyncio.gather(*(caller.get_done("housing", each, "accept") for each in references[:5]))
        assert {answer.status_code for answer in accepted} == {200}
    for reference in references[:5]:
        assert await actions_of(live, reference) == ["submit", "auto_assign", "supplement", "accept"]
    await balance(live, dict.fromkeys(references, 1))


async def test_two_interfaces_know_the_same_sessions_and_keys(live: LiveSystem, caller: Caller) -> None:
    body = {"description": "The street light is out."}
    first = await caller.post("/requests", body, **{"Idempotency-Key": "the-same-key-at-both"})
    session = await caller.sign_in("housing")
    async with beside(live, "api") as second:
        address = f"http://127.0.0.1:{second.part.ports[0].number}/api/v1"
        again = await caller.http.post(
            f"{address}/requests", json=body, headers={"Idempotency-Key": "the-same-key-at-both"}
        )
        assert again.status_code == first.status_code == 201
        reference = first.json()["reference"]
        assert again.json()["reference"] == reference
        await calm(live, [reference])
        path = f"{address}/staff/requests/{reference}/actions/accept"
        assert (await caller.http.post(path, json={}, headers=session)).status_code == 200


@pytest.mark.parametrize("off_by", [timedelta(hours=-3), timedelta(hours=3)], ids=["slow", "fast"])
async def test_clock_of_the_interface_that_is_wrong_breaks_neither_order_nor_deadlines(
    live: LiveSystem, off_by: timedelta
) -> None:
    url, address = live.system.database.url(), live.system.temporal_address
    keys = live.system.credentials.keys
    began = datetime.now(UTC)
    async with an_interface(url, address, policy=live.policy, HUISHENG_KEYS=keys) as interface:
        interface.clock.now = began + off_by
        receipt = await interface.submit()
        await calm(live, [receipt.reference])
        interface.clock.now = began - off_by
        assert (await interface.tell(receipt, "supplement", text="More.")).status_code == 202
        assert (await interface.tell(receipt, "urge")).status_code == 202
        await calm(live, [receipt.reference])
    assert await actions_of(live, receipt.reference) == ["submit", "auto_assign", "supplement", "urge"]
    moments = [event["at"] for event in await events_of(live, receipt.reference)]
    assert moments == sorted(moments)
    (snapshot,) = await live.look("select * from snapshots where reference = $1", receipt.reference)
    # Deadlines are counted by Temporal's clock, not by that of whoever takes the request in.
    assert began < snapshot["accept_due_at"] < snapshot["due_at"] < began + timedelta(days=40)
    await balance(live, {receipt.reference: 2})
