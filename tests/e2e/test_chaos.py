"""`huisheng chaos`, the short form of `make chaos`: every kind of fault, no difference, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaos import clock
from chaos.plan import Kind, make_plan
from tests.integration.systems import PROJECT, an_environment

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SEED = 69788
"""Its plan strikes everything that is asked for below, but ends no worker and cuts none off from Temporal or the gateway once there is
load: what such a worker has in hand comes back after ninety seconds, and the long form has the time to wait for it."""
SERVERS_TOO = 4
"""Programs that name the folder once PostgreSQL is there: the trial itself, and what works in the data."""
REQUESTS, FAULTS, SECONDS, DAY_SECONDS = 32, 12, 20, 0.6


def start(var: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "chaos", "--var", str(var), *arguments],
        cwd=PROJECT, env=an_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def running_in(var: Path) -> Iterator[str]:
    """The programs that name the folder, or that work in it."""
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        places = " ".join([*(process.info["cmdline"] or []), process.info["cwd"] or ""])
        if str(var) in places and process.info["status"] != psutil.STATUS_ZOMBIE:
            yield places


def nothing_is_left(var: Path) -> bool:
    deadline = time.monotonic() + 60
    while list(running_in(var)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not list(running_in(var)) and not list(var.iterdir())


PLAN = make_plan(SEED, FAULTS, SECONDS)


def test_short_plan_has_every_kind_of_fault_and_strikes_every_server() -> None:
    assert {fault.kind for fault in PLAN} == set(Kind)
    struck = {(fault.kind, fault.target) for fault in PLAN}
    assert {
        (Kind.KILL, "temporal"),
        (Kind.KILL, "api"),
        (Kind.RESTART, "postgres"),
        (Kind.FILL_DISK, "temporal"),
    } <= struck
    assert {"worker", "worker2", "relay-postgres", "worker-gateway"} <= {target for _, target in struck}


def possible_here(said: str) -> int:
    """How many faults of the plan this machine and account let be done."""
    left_out = {Kind.FILL_DISK} if "No disk can be filled here" in said else set()
    return sum(fault.kind not in left_out | (set() if clock.is_possible() else {Kind.CLOCK_BACK}) for fault in PLAN)


def starts_in(said: str) -> dict[str, int]:
    (told,) = re.findall(r"^Starts: (.*)\.$", said, re.MULTILINE)
    return {name: int(number) for name, number in (part.split() for part in told.split(", "))}


def test_what_people_were_told_is_what_exists_whatever_breaks(tmp_path: Path) -> None:
    order = {"seed": SEED, "requests": REQUESTS, "faults": FAULTS, "seconds": SECONDS}
    words = [word for name, value in order.items() for word in (f"--{name}", str(value))]
    trial = start(tmp_path, *words, "--seconds-per-working-day", str(DAY_SECONDS))
    said, _ = trial.communicate(timeout=570)
    assert trial.returncode == 0, said
    assert "No difference" in said
    assert f"{possible_here(said)} of {FAULTS} faults were seen to be done." in said, said
    ended = Counter(fault.target for fault in PLAN if fault.kind in (Kind.KILL, Kind.RESTART))
    assert all(starts_in(said)[target] > times for target, times in ended.items()), said
    assert f"--seed {SEED} --requests {REQUESTS} --faults {FAULTS}" in said, "how to run it again"
    assert "路灯" not in said, "no text of a request is shown"
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_trial_that_is_stopped_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    trial = start(tmp_path, "--seed", str(SEED), "--requests", "20", "--faults", "0")
    assert trial.stdout is not None
    said = trial.stdout.readline()
    deadline = time.monotonic() + 180
    while len(list(running_in(tmp_path))) < SERVERS_TOO and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(trial.pid, number)
    said += trial.communicate(timeout=180)[0]
    assert trial.returncode == 130, said
    assert said.strip().endswith("Stopped.")
    assert nothing_is_left(tmp_path)
