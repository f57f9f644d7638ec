"""What an overload has to leave whole, and which of it did not hold: the figures behind each sentence of docs/overload.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

INTAKE_P99_MS = 1000.0
REFUSED_P99_MS = 2500.0
"""Beyond the patience of every lane but the actions of staff, who wait for the engine for up to ten seconds."""
WAITS_FOR_THE_ENGINE = "actions"
MOST_MEGABYTES: Mapping[str, float] = {"api": 250, "worker": 400, "temporal": 1400, "postgres": 600}
"""With its caches full, on the two cores of docs/benchmarks.md; a third above what was measured."""
MOST_GROWTH = 0.15
"""Of the last quarter over the one before, where there was time to level off."""
LEVEL_AFTER_SECONDS = 900.0
MOST_UNANSWERED = 1e-4
"""Of all that came: connections that broke."""
MOST_UNSENT = 0.01
"""Of all that came: the generator's own connections were all in use, and what it says of waits leaves these out."""

_ANSWERS = frozenset({"429", "503"})


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of a part over time, its share of what is shared included once."""

    part: str
    megabytes: tuple[float, ...]

    @property
    def growth(self) -> float:
        """Of the last quarter over the one before it."""
        quarter = len(self.megabytes) // 4
        if not quarter:
            return 0.0
        return fmean(self.megabytes[-quarter:]) / fmean(self.megabytes[-2 * quarter : -quarter]) - 1


def broken(
    seconds: float,
    kinds: Mapping[str, Mapping[str, Any]],
    memory: Sequence[Memory],
    confirmed: int,
    lost: Sequence[str],
) -> tuple[str, ...]:
    """A sentence for each demand that was not met; none where all is well."""
    return (*_of_receipts(confirmed, lost), *_of_intake(kinds), *_of_answers(kinds), *_of_memory(seconds, memory))


def _of_receipts(confirmed: int, lost: Sequence[str]) -> Iterator[str]:
    if not confirmed:
        yield "Nobody got a receipt."
    if lost:
        yield f"{len(lost)} receipts lead nowhere."


def _of_intake(kinds: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    p99 = kinds["submissions"]["served"].get("p99", float("nan"))
    if not p99 < INTAKE_P99_MS:
        yield f"Intake at p99 took {p99:.0f} ms, and {INTAKE_P99_MS:.0f} are the most."


def _of_answers(kinds: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for kind, met in kinds.items():
        if met["without_retry_after"]:
            yield f"{met['without_retry_after']} refusals of {kind} did not say when to come back."
        late = met["refused"].get("p99", 0.0)
        if kind != WAITS_FOR_THE_ENGINE and late >= REFUSED_P99_MS:
            yield f"Refusals of {kind} at p99 took {late:.0f} ms, and {REFUSED_P99_MS:.0f} are the most."
        statuses = met["statuses"]
        wrong = {
            status: number
            for status, number in statuses.items()
            if status.isdecimal() and not status.startswith("2") and status not in _ANSWERS
        }
        if wrong:
            yield f"{_told(wrong)} among the answers to {kind}."
        unanswered = {status: number for status, number in statuses.items() if not status.isdecimal()}
        if sum(unanswered.values()) > max(1.0, MOST_UNANSWERED * met["came"]):
            yield f"{_told(unanswered)} instead of answers to {kind}: more than one in {1 / MOST_UNANSWERED:,.0f}."
        if met["unsent"] > MOST_UNSENT * met["came"]:
            yield f"The generator had no connection free for {met['unsent']} of {met['came']} {kind}."


def _of_memory(seconds: float, memory: Sequence[Memory]) -> Iterator[str]:
    for part in memory:
        most = max(part.megabytes, default=0.0)
        if most > MOST_MEGABYTES[part.part]:
            yield f"The part {part.part} took {most:.0f} MB, and {MOST_MEGABYTES[part.part]:.0f} are the most."
        if seconds >= LEVEL_AFTER_SECONDS and part.growth > MOST_GROWTH:
            yield f"The part {part.part} grew by {part.growth:.0%} in the last quarter, and {MOST_GROWTH:.0%} are the most."


def _told(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} times {status}" for status, number in sorted(numbers.items()))
