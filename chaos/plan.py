"""The plan of faults: what breaks when, and for how long. Drawn from a seed alone, so that the same seed makes the same plan anywhere."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is done to the target."""

    KILL = "kill"  # SIGKILL; it is started again when the fault is over
    FREEZE = "freeze"  # SIGSTOP, and SIGCONT when it is over
    RESTART = "restart"  # asked to end, and started again
    CUT = "cut"  # every connection is broken off, and new ones too until it is over
    STALL = "stall"  # connections stay, and nothing passes
    DELAY = "delay"  # everything that passes takes `amount` seconds longer
    FILL_DISK = "fill_disk"  # not a byte is left
    CLOCK_BACK = "clock_back"  # `amount` seconds, and forward again when it is over


PARTS = ("api", "worker", "worker2", "temporal", "postgres")
LINKS = (
    "people-api", "api-postgres", "api-temporal", "worker-postgres", "relay-postgres", "worker-temporal",
    "worker2-postgres", "relay2-postgres", "worker2-temporal", "worker-gateway", "gateway-api",
)  # fmt: skip
"""Who calls whom. A relay lives in each worker and has connections of its own; the SMS gateway is called by both workers, and
calls the interface with its reports."""
DISKS = ("postgres", "temporal")

TARGETS: dict[Kind, tuple[str, ...]] = {
    Kind.KILL: PARTS,
    Kind.FREEZE: PARTS,
    Kind.RESTART: PARTS,
    Kind.CUT: LINKS,
    Kind.STALL: LINKS,
    Kind.DELAY: LINKS,
    Kind.FILL_DISK: DISKS,
    Kind.CLOCK_BACK: PARTS,
}

_LASTS_SECONDS: dict[Kind, tuple[float, float]] = {
    Kind.KILL: (0.0, 1.5),
    Kind.FREEZE: (0.3, 4.0),
    Kind.RESTART: (0.0, 0.5),
    Kind.CUT: (0.0, 3.0),
    Kind.STALL: (0.3, 4.0),
    Kind.DELAY: (2.0, 5.0),
    Kind.FILL_DISK: (0.5, 3.0),
    Kind.CLOCK_BACK: (1.0, 4.0),
}
_LONG_SHARE = 0.125
"""One in eight lasts long enough for leases, sticky queues and the patience of callers to run out."""
_LONGER = 4.0
_DELAYS_SECONDS = (0.02, 0.1, 0.5)
_BACK_SECONDS = (2.0, 60.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """Begins `at` seconds after the load has; `amount` is in seconds, for those kinds that have one."""

    number: int
    at: float
    kind: Kind
    target: str
    lasts: float
    amount: float = 0.0

    def __str__(self) -> str:
        amount = f" by {self.amount:g} s" if self.amount else ""
        return f"#{self.number:<4} {self.at:7.1f} s  {self.kind:<10} {self.target:<15} for {self.lasts:.1f} s{amount}"


def make_plan(
    seed: int, faults: int, within_seconds: float, kinds: Collection[Kind] = tuple(Kind)
) -> tuple[Fault, ...]:
    """So many faults of these kinds, spread over that time.

    Every pair of kind and target comes as often as every other, give or take one.
    """
    chance = random.Random(f"faults {seed}")  # nosec B311 - the same plan for the same seed; nothing to keep secret
    pairs = _dealt(chance, faults, kinds)
    apart = within_seconds / max(faults, 1)
    return tuple(
        _fault(chance, number, (number - chance.random()) * apart, kind, target)
        for number, (kind, target) in enumerate(pairs, start=1)
    )


def _dealt(chance: random.Random, number: int, kinds: Collection[Kind]) -> Sequence[tuple[Kind, str]]:
    """Pack after pack of all pairs, each shuffled."""

    def cards() -> Iterator[tuple[Kind, str]]:
        while True:
            pack = [(kind, target) for kind, targets in TARGETS.items() if kind in kinds for target in targets]
            chance.shuffle(pack)
            yield from pack

    dealt = cards()
    return [next(dealt) for _ in range(number)]


def _fault(chance: random.Random, number: int, at: float, kind: Kind, target: str) -> Fault:
    lasts = chance.uniform(*_LASTS_SECONDS[kind]) * (_LONGER if chance.random() < _LONG_SHARE else 1.0)
    amounts = {Kind.DELAY: _DELAYS_SECONDS, Kind.CLOCK_BACK: _BACK_SECONDS}.get(kind, (0.0,))
    return Fault(number, round(at, 2), kind, target, round(lasts, 2), chance.choice(amounts))
