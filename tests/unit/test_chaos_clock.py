"""The clock of one program set back, while others, and the program's monotonic clock, go on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from chaos import clock

pytestmark = pytest.mark.skipif(not clock.is_possible(), reason="clocks of single programs: Linux on x86-64 only")

HOUR = 3600
ASKS = """
import datetime, sys, time
for _ in sys.stdin:
    print(time.time(), datetime.datetime.now(datetime.UTC).timestamp(), time.monotonic(), flush=True)
"""


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    """Tells the time whenever it is asked."""
    with subprocess.Popen(
        [sys.executable, "-c", ASKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asked:
        told(asked)
        yield asked
        asked.kill()


def told(program: subprocess.Popen[str]) -> list[float]:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("\n")
    program.stdin.flush()
    return [float(word) for word in program.stdout.readline().split()]


def is_about(moment: float, other: float) -> bool:
    return abs(moment - other) < 60


def test_program_is_behind_and_then_right_again(program: subprocess.Popen[str]) -> None:
    clock.set_back(program.pid, HOUR)
    seconds, instant, monotonic = told(program)
    assert is_about(seconds, time.time() - HOUR)
    assert is_about(instant, time.time() - HOUR)
    assert is_about(monotonic, time.monotonic())
    clock.set_right(program.pid)
    seconds, instant, _ = told(program)
    assert is_about(seconds, time.time())
    assert is_about(instant, time.time())


def test_clock_can_be_set_back_further_and_right_twice(program: subprocess.Popen[str]) -> None:
    clock.set_back(program.pid, HOUR)
    clock.set_back(program.pid, 2 * HOUR)
    assert is_about(told(program)[0], time.time() - 2 * HOUR)
    for _ in range(2):
        clock.set_right(program.pid)
    assert is_about(told(program)[0], time.time())


def test_program_that_is_gone_is_nobodys_trouble(program: subprocess.Popen[str]) -> None:
    program.kill()
    program.wait()
    clock.set_back(program.pid, HOUR)
    clock.set_right(program.pid)
