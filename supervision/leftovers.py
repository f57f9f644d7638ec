"""The parts of an earlier start that outlived their supervisor: known by a file, ended before the next start.

On Linux the kernel tells every part when its supervisor dies (launch.py); this is for the moment that their stopping takes,
and for systems where the kernel does not.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from supervision.errors import PartFailed
from supervision.ground import Ground
from supervision.processes import is_alive, wait_gone


@dataclass(frozen=True, slots=True)
class Child:
    """`started_at` in seconds since 1970, as the kernel says: a process number alone may be somebody else's by now."""

    name: str
    pid: int
    request: int
    started_at: float


def children_file(ground: Ground) -> Path:
    """Which process each part is, for the next start and for whoever measures them."""
    return ground.run / "children.json"


def remember(ground: Ground, children: Iterable[tuple[str, int, signal.Signals]]) -> None:
    known = []
    for name, pid, request in children:
        try:
            known.append(Child(name, pid, int(request), psutil.Process(pid).create_time()))
        except psutil.NoSuchProcess:
            # It died at once; whoever watches it will say so.
            continue
    unfinished = children_file(ground).with_suffix(".unfinished")
    unfinished.write_text(json.dumps([asdict(child) for child in known], indent=1))
    unfinished.replace(children_file(ground))


def end_leftovers(ground: Ground, patience_seconds: float = 15) -> None:
    """Asks what is left of an earlier start to stop, in reverse order, and kills what does not."""
    for child in reversed(_known(ground)):
        for request in (child.request, signal.SIGKILL):
            process = _living(child)
            if process is not None:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(request)
                wait_gone([process], patience_seconds)
        if _living(child) is not None:
            raise PartFailed(child.name, f"from an earlier start (process {child.pid}) cannot be ended", None)
    children_file(ground).unlink(missing_ok=True)


def _known(ground: Ground) -> list[Child]:
    try:
        return [Child(**entry) for entry in json.loads(children_file(ground).read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def _living(child: Child) -> psutil.Process | None:
    try:
        process = psutil.Process(child.pid)
        same = abs(process.create_time() - child.started_at) < 1
    except psutil.NoSuchProcess:
        return None
    return process if same and is_alive(process) else None
