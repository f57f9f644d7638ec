"""What each part costs: processor time as the operating system accounts for it, ended children included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

PARTS = ("api", "worker", "temporal", "postgres")


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds since the parts were started, by part; `machine` is all that all cores have done, whoever asked."""

    parts: Mapping[str, float]
    machine: float

    def since(self, earlier: Spent) -> Spent:
        parts = {name: seconds - earlier.parts[name] for name, seconds in self.parts.items()}
        return Spent(parts, self.machine - earlier.machine)


def spent(roots: Mapping[str, int]) -> Spent:
    """By the trees of processes that begin at `roots`."""
    return Spent({name: _tree_seconds(psutil.Process(pid)) for name, pid in roots.items()}, _busy_seconds())


def _tree_seconds(root: psutil.Process) -> float:
    return sum(_seconds(process) for process in (root, *root.children(recursive=True)))


def _seconds(process: psutil.Process) -> float:
    """Its own time and that of children it had which have ended: each ended one is in exactly one parent's account."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        # It ended while we counted, and is in its parent's account the next time.
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # On Linux the time of guests is counted in user time already.
    return float(sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0))
