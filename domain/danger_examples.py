"""The sentences of a policy from which danger is learnt, and how a line of them stands for several.

"{Dad/Grandma} {fell/fainted}" is written once and stands for "Dad fell", "Grandma fainted" and so on: every alternative
comes, not every combination.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_OF_A_LINE = 10
ROUNDS = 2
"""So often each alternative comes, beside others each time."""
SHARED = 0.3
"""A sentence counts less the more a line makes of them: many of one line say nearly the same."""
_SLOT = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True)
class DangerExamples:
    """One file. `watch` is the code of the danger that the dangerous sentences tell of; all by language."""

    watch: str | None = None
    dangerous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    harmless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Sentence:
    """`watch` is the danger that it tells of, None for none; `count` how much it counts in learning."""

    text: str
    watch: str | None
    count: float


def sentences_of(examples: Iterable[DangerExamples]) -> list[Sentence]:
    """All sentences that the lines stand for."""
    return [
        Sentence(text, watch, len(said) ** -SHARED)
        for each in examples
        for watch, lines in ((each.watch, each.dangerous), (None, each.harmless))
        for listed in lines.values()
        for said in map(sentences_in, listed)
        for text in said
    ]


def sentences_in(line: str) -> list[str]:
    """What one line stands for, always the same."""
    parts = _SLOT.split(line)
    slots = [slot.split("/") for slot in parts[1::2]]
    if not slots:
        return [line]
    how_many = min(ROUNDS * max(map(len, slots)), MOST_OF_A_LINE, math.prod(map(len, slots)))
    made = ("".join(_woven(parts[::2], slots, number)) for number in range(how_many))
    return list(dict.fromkeys(made))


def is_well_formed(line: str) -> bool:
    """Braces come in pairs, none inside another, each with two alternatives or more."""
    slots = _SLOT.findall(line)
    return not _BRACE.search(_SLOT.sub("", line)) and all("/" in slot for slot in slots)


def _woven(texts: list[str], slots: list[list[str]], number: int) -> Iterable[str]:
    yield texts[0]
    for place, (slot, text) in enumerate(zip(slots, texts[1:], strict=True)):
        # Shifted by the place and after each round, so that alternatives meet new neighbours.
        yield slot[(number + place * (number // len(slot) + place)) % len(slot)]
        yield text
