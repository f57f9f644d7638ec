"""What the measuring programs make of what they see: waits, costs, targets and the page."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

import psutil
import pytest

from benchmarks.accounting import PARTS, Spent, spent
from benchmarks.citizens import LOOKS, Tally
from benchmarks.histories import HistoryCost
from benchmarks.jobs import Job, Loop, Outcome
from benchmarks.machine import Machine
from benchmarks.measurement import Findings, Run
from benchmarks.report import bound, page, targets
from benchmarks.texts import ORDINARY_CHARACTERS, messages
from benchmarks.wire import Connection, NoAnswer
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY
from supervision.processes import wait_gone
from tests.city import a_city


def a_job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "port": 1, "loop": Loop.LIFECYCLES, "citizens": 2, "seconds": 10.0, "at_most": 3, "warm_up_seconds": 1.0,
        "descriptions": ("路灯不亮",), "handlers": {"housing": "token"}, "dispatcher": "token",
    }  # fmt: skip
    return Job(**(values | changes))


def a_run(loop: Loop = Loop.LIFECYCLES, citizens: int = 16, **changes: Any) -> Run:
    """A hundred rounds in two seconds, of 1 to 100 ms each; each part took a second."""
    values: dict[str, Any] = {
        "loop": loop,
        "citizens": citizens,
        "outcome": Outcome(2.0, tuple(float(ms) for ms in range(1, 101)), 125, 0, 4, 1000, 0.25, ("a", "b")),
        "spent": Spent(dict.fromkeys(PARTS, 1.0), 5.0),
        "lasted": 3.0,
        "drain_seconds": 0.5,
    }
    return Run(**(values | changes))


def some_findings(**outcome: Any) -> Findings:
    runs = (a_run(loop, citizens) for loop in Loop for citizens in (1, 16, 64))
    changed = tuple(replace(run, outcome=replace(run.outcome, **outcome)) for run in runs)
    return Findings(changed, HistoryCost(6, 41.5, 5.25, 11_264, {"marker_recorded": 5.0, "timer_started": 3.0}))


MACHINE = Machine(
    date(2026, 11, 22), "A processor", 2, 16.0, "Linux 6.1", "CPython 3.11.7", "ext4", 0.5, {"fastapi": "0.165"}
)


def test_job_and_outcome_travel_as_text() -> None:
    assert Job.read(a_job().written()) == a_job()
    assert Outcome.read(a_run().outcome.written()) == a_run().outcome


@pytest.mark.parametrize(
    ("share", "ms"), [(0.5, 51.0), (0.95, 96.0), (0.99, 100.0), (1.0, 100.0)],
)  # fmt: skip
def test_wait_is_that_of_the_given_share(share: float, ms: float) -> None:
    assert a_run().waited_ms(share) == ms


def test_costs_are_for_each_round_with_warm_up_and_tail() -> None:
    run = a_run()
    assert (run.per_second, run.cpu_ms("worker"), run.client_cpu_ms) == (50.0, 8.0, 2.0)
    assert run.others_cpu_seconds == 0.75


def test_rounds_count_from_the_end_of_the_warm_up_until_there_are_enough() -> None:
    tally = Tally(a_job(at_most=2), begins_at=100.0)
    for ended in (99.0, 100.5, 101.0, 102.0):
        tally.note(ended - 1, ended)
    assert (tally.rounds, tally.waits_ms, tally.ended_at) == (4, [1000.0, 1000.0], 101.0)


def test_targets_are_met_by_quick_runs_and_missed_by_slow_ones() -> None:
    assert [target.met for target in targets(some_findings())] == [True, False, True]
    many = some_findings(waits_ms=(120.0,) * 300)
    assert [target.met for target in targets(many)] == [True, True, True]
    slow = some_findings(seconds=10.0, waits_ms=(900.0,) * 100)
    assert [target.met for target in targets(slow)] == [False, False, False]


def test_submissions_are_not_excused_for_their_waits_by_their_number() -> None:
    (_, submissions, _) = targets(some_findings(waits_ms=(300.0,) * 300))
    assert not submissions.met
    assert "p99 300 ms" in submissions.measured


def test_page_holds_every_figure() -> None:
    text = page(some_findings(), MACHINE, "make bench")
    for words in (
        "Written by `make bench`", "2026-11-22", "A processor, 2 cores", "16 GiB", "fastapi 0.165", "takes 0.50 ms",
        "| 16 | 50.0 | 51.0 | 96.0 | 100.0 | 0 |", "**41.5 events, 5.2 workflow tasks**, 11.0 KiB", "| marker_recorded | 5.00 |",
        "| lifecycles | 16 | 8.0 | 8.0 | 8.0 | 8.0 | 32.0 | 2.0 | 8.0 | 0.8 |", "| 20 lifecycles a second | 50.0 a second with 1 citizen | met |",
        "| 100 submissions a second, p99 under 250 ms | 50 a second, p99 100 ms, with 1 citizen | **missed** |",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [pytest.param(2.0, "The cores are busy", id="busy"), pytest.param(8.0, "The cores are not full", id="waiting")],
)
def test_bound_says_whether_the_cores_are_busy(seconds: float, said: str) -> None:
    assert said in bound(some_findings(seconds=seconds), cores=2)


# What the operating system says.


def test_time_of_children_counts_while_they_live_and_after_they_have_ended() -> None:
    script = (
        "import subprocess, sys, time\n"
        "burn = 'import time\\nend = time.process_time() + 0.3\\nwhile time.process_time() < end: pass'\n"
        "subprocess.run([sys.executable, '-c', burn])\n"
        "lasting = subprocess.Popen([sys.executable, '-c', burn + '\\ntime.sleep(60)'])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "lasting.kill(); lasting.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as root:
        assert root.stdout is not None
        root.stdout.readline()
        children = psutil.Process(root.pid).children()
        deadline = asyncio.run(_until_spent(root.pid, 0.6))
        assert deadline, "both children burn 0.3 s each"
        root.communicate()
    assert wait_gone(children, 60) == []


async def _until_spent(pid: int, seconds: float) -> bool:
    for _ in range(2400):
        if spent({"root": pid}).parts["root"] >= seconds:
            return True
        await asyncio.sleep(0.05)
    return False


def test_cost_is_the_difference_of_two_accounts() -> None:
    later, earlier = Spent({"api": 3.0}, 10.0), Spent({"api": 1.0}, 4.0)
    assert later.since(earlier) == Spent({"api": 2.0}, 6.0)


# What is sent.


def test_invented_messages_are_of_ordinary_length_and_need_nobody() -> None:
    policy = load_folder(DEFAULT_POLICY_DIRECTORY)
    found = messages(policy, {department.code for department in policy.departments})
    assert len(found) == len(set(found)) >= 10
    assert all(0.8 * ORDINARY_CHARACTERS <= len(text) <= ORDINARY_CHARACTERS for text in found)


def test_no_message_is_sent_to_a_department_that_nobody_plays() -> None:
    assert messages(load_folder(DEFAULT_POLICY_DIRECTORY), ()) == ()
    assert messages(a_city(), {"housing"}) == (), "its categories have no keywords in Chinese"


# How it is sent.


class Server:
    """Answers each connection with the given pieces, and keeps what it was asked."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.asked: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.asked.append(data)
            for piece in self.pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if b"Connection: close" in b"".join(self.pieces):
                break
        writer.close()


async def ask(server: Server, times: int = 1) -> list[tuple[int, bytes]]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    async with listening:
        connection = Connection("127.0.0.1", listening.sockets[0].getsockname()[1])
        try:
            return [
                (answer.status, answer.body)
                for _ in range(times)
                for answer in [await connection.ask("POST", "/there", token="secret", body={"text": "灯"})]
            ]
        finally:
            connection.close()


async def test_connection_reads_an_answer_that_comes_in_pieces_and_asks_again() -> None:
    server = Server(b"HTTP/1.1 201 Created\r\nContent-Le", b"ngth: 10\r\n\r\nhello", b"world")
    assert await ask(server, times=2) == [(201, b"helloworld"), (201, b"helloworld")]
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /there HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Bearer secret\r\n" in head
    assert body == '{"text": "灯"}'.encode()


async def test_connection_opens_again_when_the_server_has_closed_it() -> None:
    server = Server(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    answers = await ask(server)
    assert answers == [(204, b"")]


@pytest.mark.parametrize(
    "pieces", [(b"nonsense\r\n\r\n",), (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf",)]
)
async def test_broken_answer_is_no_answer(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(NoAnswer):
        await ask(Server(*pieces))


async def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        await Connection("127.0.0.1", 1).ask("GET", "/")


def test_citizen_looks_with_growing_pauses_and_first_after_what_the_last_wait_took() -> None:
    looks = LOOKS[Loop.LIFECYCLES]
    assert list(islice(looks.pauses(0.0), 4)) == pytest.approx([0.08, 0.12, 0.18, 0.27])
    assert list(islice(looks.pauses(2.0), 4)) == pytest.approx([1.6, 0.4, 0.6, 0.9])
    assert max(islice(looks.pauses(0.0), 20)) == 1.0
    closely = LOOKS[Loop.ASSIGNMENTS]
    assert list(islice(closely.pauses(2.0), 3)) == list(islice(closely.pauses(0.0), 3))
