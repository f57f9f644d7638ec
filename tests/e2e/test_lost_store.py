"""Temporal's store is lost, or the whole machine: everything goes on from the database, and ends as it should."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from supervision.ground import Ground
from supervision.system import PROJECT
from tests.city import a_city
from tests.e2e.books import calm, messages_were_heard_once, notices_went_out_once, timelines_are_whole
from tests.e2e.lives import LAMP, LIVES, RIDDLE, Case, Life, Played
from tests.e2e.people import Caller, a_caller
from tests.e2e.system import LiveSystem, a_live_system, until
from tests.e2e.test_kill import a_city_in_a_hurry

pytestmark = pytest.mark.e2e

SEED = 20261122
REQUESTS = 80
SUBMITTED_WITHIN_SECONDS = 10.0
LOST_AFTER_SECONDS = 8.0


ENDS = {"decline": "declined", "transfer": "transferred"}


class LostCase(Case):
    """Its people may lose the answer to what ended it, together with the run that knows of it: then they see that it is done."""

    async def staff(self, username: str, action: str, **body: Any) -> None:
        answer = await self.caller.get_done(username, self.receipt.reference, action, **body)
        done = answer.status_code == 409 and (await self.caller.standing(self.receipt))["state"] == ENDS.get(action)
        assert done or answer.status_code == 200, (action, answer.text, await self.caller.standing(self.receipt))


async def play(caller: Caller, life: Life, description: str) -> Played:
    case = LostCase(caller, await caller.submit(description))
    end = await life(case)
    await case.reaches(end[0])
    return Played(case.receipt.reference, end, case.confirmed)


async def lose_the_store(live: LiveSystem) -> int:
    """In the middle of everything; how many requests were open whose runs had begun."""
    await asyncio.sleep(LOST_AFTER_SECONDS)

    async def are_many() -> bool:
        return await begun(live) > REQUESTS / 4

    await until(are_many, what="that many requests are open")
    live.worker.kill()
    live.temporal.kill()
    shutil.rmtree(live.system.ground.temporal)
    number = await begun(live)
    await live.temporal.start()
    await live.worker.start()
    return number


async def begun(live: LiveSystem) -> int:
    return int(
        await live.value(
            "select count(*) from snapshots"
            " where state not in ('received', 'closed', 'declined', 'withdrawn', 'transferred')"
        )
    )


@pytest.mark.slow
async def test_requests_come_to_their_end_though_the_store_of_their_runs_is_thrown_away(
    live: LiveSystem, caller: Caller
) -> None:
    chance = random.Random(SEED)
    await live.adopt(a_city_in_a_hurry())

    async def later(delay: float, life: Life, description: str) -> Played:
        await asyncio.sleep(delay)
        return await play(caller, life, description)

    async with asyncio.TaskGroup() as group:
        losing = group.create_task(lose_the_store(live))
        playing = [
            group.create_task(later(chance.uniform(0, SUBMITTED_WITHIN_SECONDS), life, description))
            for life, description in islice(cycle(LIVES), REQUESTS)
        ]
    assert losing.result() > REQUESTS / 5, "hardly any request was open: the store was lost at the wrong time"
    played = {task.result().reference: task.result() for task in playing}
    await calm(live, list(played))
    rows = await live.look(
        "select reference, state, outcome from snapshots where reference = any ($1::text[])", list(played)
    )
    ends = {row["reference"]: (row["state"], row["outcome"]) for row in rows}
    assert ends == {reference: one.end for reference, one in played.items()}
    await timelines_are_whole(live, list(played))
    for reference, one in played.items():
        await messages_were_heard_once(live, reference, one.confirmed)
    await notices_went_out_once(live, list(played))
    rebuilt = live.worker.log.read_text().count('"run_rebuilt"')
    assert rebuilt >= losing.result() / 2


# One request in each state, on a machine that is lost.


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


@pytest.mark.slow
@pytest.mark.parametrize("with_runs", [True, False], ids=["both stores", "the database alone"])
async def test_city_goes_on_from_a_backup_on_another_machine(
    live: LiveSystem, caller: Caller, tmp_path: Path, with_runs: bool
) -> None:
    cases = {state: Case(caller, await caller.submit(text)) for state, (_, text) in STATES.items()}
    await asyncio.gather(*(STATES[state][0](case) for state, case in cases.items()))
    references = [case.receipt.reference for case in cases.values()]
    await calm(live, references)
    before, told = await dates_of(live, references), await notices_of(live, references)
    file, ground = tmp_path / "city.backup", live.system.ground
    if with_runs:
        live.system.write_settings()
        with ground.held():
            made = await asyncio.to_thread(huisheng, ground.root, "backup", str(file))
        assert made.returncode == 0, made.stderr
    else:
        code, _, complaints = await live.run(sys.executable, "-m", "cli.main", "backup", str(file))
        assert code == 0, complaints
    assert file.stat().st_mode & 0o777 == 0o600

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
    assert "With --replace they are deleted" in again.stderr

    async with a_live_system(elsewhere.root, a_city()) as other:
        newcomer = a_caller(other)
        async with newcomer.http:
            cases = {state: Case(newcomer, case.receipt) for state, case in cases.items()}
            assert {state: (await newcomer.standing(case.receipt))["state"] for state, case in cases.items()} == {
                state: state for state in cases
            }

            async def agrees() -> bool:
                return (await other.run(sys.executable, "-m", "cli.main", "runs", "check"))[0] == 0

            await until(agrees, 180, "that all runs are there")
            assert await dates_of(other, references) == before
            await asyncio.gather(*(goes_on(state, case) for state, case in cases.items()))
            await calm(other, references)
            await timelines_are_whole(other, references)
            after = await notices_of(other, references)
            assert set(after.values()) == {1}
            assert told <= after
            code, said, _ = await other.run(sys.executable, "-m", "cli.main", "read-model", "rebuild", "--check")
            assert code == 0, said
