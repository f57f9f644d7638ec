"""How a part's process is started, asked to stop, and made to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Ending:
    """Which signal asks the program to finish, and how many seconds it gets before it is killed."""

    request: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0


def start(
    command: Sequence[str],
    *,
    ending: Ending,
    output: IO[bytes] | int,
    errors: IO[bytes] | int = subprocess.STDOUT,
    environment: Mapping[str, str] | None = None,
    niceness: int = 0,
) -> subprocess.Popen[bytes]:
    """Starts `command` in a process group of its own, so that Ctrl-C at the terminal reaches only the supervisor.

    Call it from the main thread: the kernel ties the child's life to the thread that started it.
    """
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(ending.request)), str(niceness)]
    return subprocess.Popen(
        [*launcher, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env=dict(os.environ if environment is None else environment),
        process_group=0,
    )


def stop(process: subprocess.Popen[bytes], ending: Ending) -> bool:
    """Asks, waits, and kills the whole group at last; True when asking was enough."""
    if process.poll() is None:
        process.send_signal(ending.request)
    try:
        process.wait(ending.grace_seconds)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of the process group: the part itself, and children that it did not take along."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    process.wait()


def is_alive(process: psutil.Process) -> bool:
    """False also for a zombie: nothing of it is left but its exit status, which not every init fetches soon."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Waits for processes that are not our children; those still alive at the end."""
    deadline = time.monotonic() + seconds
    remaining = [process for process in processes if is_alive(process)]
    while remaining and time.monotonic() < deadline:
        time.sleep(0.02)
        remaining = [process for process in remaining if is_alive(process)]
    return remaining
