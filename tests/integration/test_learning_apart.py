"""The process that trains: it fails plainly, ends with its worker, and is told no more than it needs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import psutil
import pytest
from temporalio.exceptions import ApplicationError

from activities.learning import FAILED
from classifier import apart
from classifier.examples import Example
from classifier.held_out import Decision
from db import comparisons
from db.pool import Pool
from db.sealing import KeyRing
from supervision.processes import is_alive
from tests.integration.test_api_actions import eventually
from tests.learning import CITY, TERMS, History, retrained
from tests.rows import SUNDAY_NOON

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def history(pool: Pool, keys: KeyRing) -> History:
    return History(pool, keys)


async def test_training_that_fails_says_what_kind_of_failure_and_no_text(
    pool: Pool, keys: KeyRing, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history.goes_on(12)
    monkeypatch.setattr(apart, "end", lambda: b'{"title": "a secret"}\n')
    with pytest.raises(ApplicationError) as raised:
        await retrained(pool, keys, history.now)
    assert (raised.value.type, str(raised.value)) == (FAILED, "training_failed: The training ended with KeyError.")
    assert raised.value.non_retryable


async def test_training_that_was_killed_is_tried_again(
    pool: Pool, keys: KeyRing, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without memory the kernel ends it; later there may be enough."""
    await history.goes_on(12)

    def kills() -> bytes:
        (training,) = trainings()
        training.kill()
        return b"end\n"

    monkeypatch.setattr(apart, "end", kills)
    with pytest.raises(ApplicationError, match="exit status -9") as raised:
        await retrained(pool, keys, history.now)
    assert not raised.value.non_retryable


async def test_retraining_that_is_cancelled_leaves_nothing_running(pool: Pool, keys: KeyRing, history: History) -> None:
    await history.goes_on(140)
    running = asyncio.create_task(retrained(pool, keys, history.now))

    async def has_begun() -> bool:
        return bool(trainings())

    await eventually(has_begun)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert trainings() == []
    async with comparisons.only_one(pool) as alone:
        assert alone


def trainings() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if is_alive(each) and apart.MODULE in command_of(each)]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):  # it has ended just now
        return []


async def test_training_of_half_of_the_decisions_is_none() -> None:
    wanted = apart.Wanted(CITY, None, None, SUNDAY_NOON.date(), TERMS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", apart.MODULE, str(os.getpid()), cwd=PROJECT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaint = await process.communicate(apart.header(wanted))
    assert (process.returncode, out, complaint) == (1, b"", b"Interrupted")


async def test_training_ends_with_the_worker_that_began_it() -> None:
    """A worker that is killed outright cannot stop it, and it still waits for decisions."""
    begin = (
        "import os, subprocess, sys, time\n"
        f"training = subprocess.Popen([sys.executable, '-m', '{apart.MODULE}', str(os.getpid())])\n"
        "print(training.pid, flush=True)\n"
        "time.sleep(600)"
    )
    reader, writer = os.pipe()
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", begin, cwd=PROJECT, stdin=reader, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    training = psutil.Process(int(await parent.stdout.readline()))

    async def is_gone() -> bool:
        return not is_alive(training)

    try:
        parent.kill()
        await eventually(is_gone)
    finally:
        await parent.wait()
        os.close(reader)
        os.close(writer)


def test_line_for_the_training_holds_no_more_text_than_is_looked_at() -> None:
    told = json.loads(apart.line_of(Decision(Example("t" * 9_000, "b" * 9_000, "taxi"), SUNDAY_NOON, False)))
    assert (len(told["title"]), len(told["body"])) == (3_000, 3_000)
