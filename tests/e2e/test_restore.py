"""A city comes back from its backup: on another machine, with its runs or without them, and under runs that are ahead of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from backup.archive import MANIFEST
from backup.manifest import read_manifest
from db.backups import CLOCKS_APART
from db.sealing import KeyRing
from supervision.ground import Ground
from supervision.system import PROJECT
from tests.city import a_city
from tests.e2e.books import calm, timelines_are_whole
from tests.e2e.lives import LAMP, RIDDLE, Case
from tests.e2e.people import Caller, Receipt, a_caller
from tests.e2e.system import LiveSystem, a_live_system, until
from workflows.connection import connect
from workflows.contract import workflow_id

pytestmark = pytest.mark.e2e

STILL = timedelta(seconds=5)
"""Nothing happens to the requests in STATES for so long before the backup."""
TRIED = 6
"""So many of the requests that came in during the backup are worked on to their end."""


async def accepted(case: Case) -> None:
    await case.reaches("assigned")
    await case.staff("housing", "accept")


async def asked(case: Case) -> None:
    await accepted(case)
    await case.staff("housing", "ask_citizen", question="Which of the two lamps is it?")


async def in_review(case: Case) -> None:
    await accepted(case)
    await case.staff("housing", "resolve", outcome="not_solved", reply="The lamp is not ours.")


async def resolved(case: Case) -> None:
    await accepted(case)
    await case.staff("housing", "resolve", outcome="solved", reply="Repaired.")


async def closed(case: Case) -> None:
    await resolved(case)
    await case.citizen("rate", solved="yes", satisfied=2)
    await case.reaches("closed")


async def left(case: Case) -> None:
    await case.reaches("assigned", "triage")


STATES = {
    "assigned": (left, LAMP), "triage": (left, RIDDLE), "in_progress": (accepted, LAMP), "awaiting_citizen": (asked, LAMP),
    "in_review": (in_review, LAMP), "resolved": (resolved, LAMP), "closed": (closed, LAMP),
}  # fmt: skip


async def goes_on(state: str, case: Case) -> None:
    """What staff and citizens do next; everything works as if nothing had been."""
    match state:
        case "assigned" | "triage":
            if state == "triage":
                await case.staff("dispatcher", "assign", department="housing", category="street_light")
            await resolved(case)
            await case.citizen("rate", solved="yes", satisfied=5)
        case "in_progress":
            await case.citizen("urge")
            await case.staff("housing", "resolve", outcome="solved", reply="Repaired.")
            await case.citizen("rate", solved="yes", satisfied=5)
        case "awaiting_citizen":
            await case.citizen("answer", text="The left one.")
            await case.reaches("in_progress")
            await case.staff("housing", "resolve", outcome="solved", reply="Repaired.")
            await case.citizen("rate", solved="yes", satisfied=5)
        case "in_review":
            await case.staff("dispatcher", "approve")
            await case.citizen("rate", solved="yes", satisfied=5)
        case "resolved":
            await case.citizen("rate", solved="yes", satisfied=5)
        case "closed":
            await case.citizen("reopen", text="It is dark again.")
            await case.reaches("assigned")
            return
    assert await case.reaches("closed") == "closed"


def huisheng(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the machine whose folder that is."""
    outside = ("HUISHENG_", "TEMPORAL_", "DATABASE_URL", "PG")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=PROJECT, env={**environment, "HUISHENG_VAR": str(var)}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


async def dates_of(live: LiveSystem, references: list[str]) -> dict[str, datetime | None]:
    rows = await live.look("select reference, due_at from snapshots where reference = any ($1::text[])", references)
    return {row["reference"]: row["due_at"] for row in rows}


async def notices_of(live: LiveSystem, references: list[str]) -> Counter[Any]:
    rows = await live.look(
        "select reference, notices.sequence, kind, recipient from notices join snapshots using (request_id)"
        " join outbox on notice_id = notices.id where reference = any ($1::text[])",
        references,
    )  # fmt: skip
    return Counter(tuple(row) for row in rows)


@asynccontextmanager
async def people_at_work(caller: Caller) -> AsyncIterator[list[Receipt]]:
    """One request after the other comes in and is accepted, until the block is left."""
    receipts: list[Receipt] = []

    async def work() -> None:
        while True:
            receipts.append(await caller.submit(LAMP))
            await accepted(Case(caller, receipts[-1]))

    working = asyncio.create_task(work())
    try:
        yield receipts
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def back_up(live: LiveSystem, file: Path, *, with_runs: bool) -> None:
    if with_runs:
        live.system.write_settings()
        with live.system.ground.held():
            made = await asyncio.to_thread(huisheng, live.system.ground.root, "backup", str(file))
        assert made.returncode == 0, made.stderr
    else:
        code, _, complaints = await live.run(sys.executable, "-m", "cli.main", "backup", str(file))
        assert code == 0, complaints
    assert os.stat(file).st_mode & 0o777 == 0o600


def sooner(file: Path, keys: KeyRing, by: timedelta) -> None:
    """As if all that has happened had happened so much longer before the backup: by its list of contents, sealed anew."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = read_manifest(parts[MANIFEST])
    assert manifest.runs_copied_at is not None
    changed = replace(manifest, runs_copied_at=manifest.runs_copied_at + by).sealed_with(keys)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, changed.written() if name == MANIFEST else content)


async def run_ids(live: LiveSystem, references: list[str]) -> dict[str, str]:
    client = await connect(live.system.temporal_address, live.keys)
    runs = [await client.get_workflow_handle(workflow_id(reference)).describe() for reference in references]
    return dict(zip(references, (run.run_id for run in runs), strict=True))


async def all_runs_are_there(live: LiveSystem) -> None:
    async def agrees() -> bool:
        return (await live.run(sys.executable, "-m", "cli.main", "runs", "check"))[0] == 0

    await until(agrees, 180, "that all runs are there")


async def stand_as_then(newcomer: Caller, cases: dict[str, Case]) -> dict[str, Case]:
    """In the hands of somebody who has to sign in anew."""
    found = {state: Case(newcomer, case.receipt) for state, case in cases.items()}
    assert {state: (await newcomer.standing(case.receipt))["state"] for state, case in found.items()} == {
        state: state for state in found
    }
    return found


async def one_of_each_state(caller: Caller, live: LiveSystem) -> dict[str, Case]:
    cases = {state: Case(caller, await caller.submit(text)) for state, (_, text) in STATES.items()}
    await asyncio.gather(*(STATES[state][0](case) for state, case in cases.items()))
    await calm(live, references_of(cases))
    return cases


def references_of(cases: dict[str, Case]) -> list[str]:
    return [case.receipt.reference for case in cases.values()]


async def are_worked_on_to_their_end(live: LiveSystem, newcomer: Caller, receipts: list[Receipt]) -> None:
    """Those of the requests that the backup has, whatever was happening to them just then."""
    rows = await live.look(
        "select reference from snapshots where reference = any ($1::text[])", [each.reference for each in receipts]
    )
    there = {row["reference"] for row in rows}
    came = [receipt for receipt in receipts if receipt.reference in there][-TRIED:]
    assert came, "nobody was at work"

    async def to_its_end(case: Case) -> None:
        await goes_on(await case.reaches("assigned", "in_progress"), case)

    await asyncio.gather(*(to_its_end(Case(newcomer, receipt)) for receipt in came))
    await calm(live, [receipt.reference for receipt in came])
    await timelines_are_whole(live, [receipt.reference for receipt in came])


@pytest.mark.slow
@pytest.mark.parametrize("with_runs", [True, False], ids=["both stores", "the database alone"])
async def test_city_goes_on_from_a_backup_on_another_machine(
    live: LiveSystem, caller: Caller, tmp_path: Path, with_runs: bool
) -> None:
    cases = await one_of_each_state(caller, live)
    references = references_of(cases)
    before, told, runs = (
        await dates_of(live, references), await notices_of(live, references), await run_ids(live, references)
    )  # fmt: skip
    file, ground = tmp_path / "city.backup", live.system.ground
    async with people_at_work(caller) as meanwhile:
        if with_runs:
            await asyncio.sleep(STILL.total_seconds())
        await back_up(live, file, with_runs=with_runs)
    if with_runs:
        sooner(file, live.keys, CLOCKS_APART - STILL)

    elsewhere = Ground(tmp_path / "var")
    without_keys = await asyncio.to_thread(huisheng, elsewhere.root, "restore", str(file))
    assert without_keys.returncode == 1
    assert "The keys are missing" in without_keys.stderr
    elsewhere.prepare()
    shutil.copy(ground.secrets / "keys", elsewhere.secrets / "keys")
    restored = await asyncio.to_thread(huisheng, elsewhere.root, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    assert "none known, for there was no database to ask" in restored.stdout
    again = await asyncio.to_thread(huisheng, elsewhere.root, "restore", str(file))
    assert "With --replace all that is in it is deleted" in again.stderr

    async with a_live_system(elsewhere.root, a_city()) as other:
        newcomer = a_caller(other)
        async with newcomer.http:
            cases = await stand_as_then(newcomer, cases)
            await all_runs_are_there(other)
            kept = {
                reference for reference, run in (await run_ids(other, references)).items() if run == runs[reference]
            }
            assert kept == (set(references) if with_runs else set())
            assert await dates_of(other, references) == before
            await asyncio.gather(*(goes_on(state, case) for state, case in cases.items()))
            await are_worked_on_to_their_end(other, newcomer, meanwhile)
            await calm(other, references)
            await timelines_are_whole(other, references)
            after = await notices_of(other, references)
            assert set(after.values()) == {1}
            assert told <= after
            code, said, _ = await other.run(sys.executable, "-m", "cli.main", "read-model", "rebuild", "--check")
            assert code == 0, said


@pytest.mark.slow
async def test_city_goes_back_to_its_backup_under_runs_that_are_ahead_of_it(
    live: LiveSystem, caller: Caller, tmp_path: Path
) -> None:
    cases = await one_of_each_state(caller, live)
    references, file = references_of(cases), tmp_path / "city.backup"
    before, told = await dates_of(live, references), await notices_of(live, references)
    await back_up(live, file, with_runs=False)
    too_late = (await caller.submit(LAMP)).reference
    await asyncio.gather(*(goes_on(state, cases[state]) for state in ("assigned", "awaiting_citizen", "closed")))
    await calm(live, [*references, too_late])

    await asyncio.gather(live.worker.stop(), live.api.stop())
    code, said, complaints = await live.run(
        sys.executable, "-m", "cli.main", "restore", str(file), "--replace", "--yes"
    )
    assert code == 0, complaints
    assert "Demands of erasure since" in said
    await asyncio.gather(live.worker.start(), live.api.start())
    newcomer = a_caller(live)
    async with newcomer.http:
        cases = await stand_as_then(newcomer, cases)
        await all_runs_are_there(live)
        assert (await dates_of(live, references), await notices_of(live, references)) == (before, told)
        client = await connect(live.system.temporal_address, live.keys)
        lost = await client.get_workflow_handle(workflow_id(too_late)).describe()
        assert lost.status is WorkflowExecutionStatus.TERMINATED
        await asyncio.gather(*(goes_on(state, case) for state, case in cases.items()))
        await calm(live, references)
        await timelines_are_whole(live, references)
        after = await notices_of(live, references)
        assert set(after.values()) == {1}
        assert told <= after
