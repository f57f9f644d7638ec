"""The load: which requests are sent when, and which lives they lead. The same seed makes the same load."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from chaos.case import Case
from chaos.lives import LEFT, LIVES, ORDINARY, End, Life
from chaos.people import GaveUp, People
from demonstration.phones import fictitious_phone

LEFT_OPEN_SHARE = 0.1
"""Of the requests: promised by the city's own calendar, and left where they are while everything breaks around them."""
_LEFT_WITHIN, _OTHERS_WITHIN = 0.1, 0.85
"""Of the time: the first ones are sent in the first tenth, the last of the others some time before the last faults."""
_IN_FLIGHT = 60
"""Lives at the same time: on a slow machine the load waits, and tells of faults, not of too much load."""


@dataclass
class Played:
    """`ends` are the states and outcomes that are right, by reference; `given_up` is why a request got no further."""

    ends: dict[str, frozenset[End]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    given_up: list[str] = field(default_factory=list)
    done: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One request that is to be sent, so many seconds after its wave has begun."""

    number: int
    after: float
    life: Life
    description: str
    is_left: bool = False


class Load:
    """`shorten` makes the days short: called when the requests that are left open have their promises."""

    def __init__(
        self, people: People, seed: int, count: int, within_seconds: float, shorten: Callable[[], Awaitable[None]],
        messages: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.played = Played()
        self.left, self.others = make_load(seed, count, within_seconds, messages)
        self._people = people
        self._seed = seed
        self._shorten = shorten
        self._places = asyncio.Semaphore(_IN_FLIGHT)
        self._sent = 0

    @property
    def share(self) -> float:
        """How far it is, from 0 to 1: what has been sent counts half, the other half when it has been played."""
        return (self._sent + self.played.done) / (2 * len([*self.left, *self.others]))

    async def run(self) -> None:
        """Until every life is over."""
        await self._wave(self.left)
        await self._shorten()
        await self._wave(self.others)

    async def _wave(self, parts: Sequence[Part]) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for part in parts:
                await asyncio.sleep(max(0.0, began + part.after - time.monotonic()))
                await self._places.acquire()
                group.create_task(self._live(part))

    async def _live(self, part: Part) -> None:
        try:
            key = f"chaos-{self._seed}-{part.number}"
            phone = fictitious_phone(part.number)
            sent = await self._people.submit(part.number, part.description, phone, key)
            self._sent += 1
            if part.is_left:
                self.played.left.add(sent.reference)
            self.played.ends[sent.reference] = await part.life(Case(self._people, sent))
        except GaveUp as error:
            self.played.given_up.append(f"request {part.number} ({part.life.__name__}): {error}")
        finally:
            self.played.done += 1
            self._places.release()


def make_load(
    seed: int, count: int, within_seconds: float, messages: Sequence[str] = ()
) -> tuple[list[Part], list[Part]]:
    """Those that are left open, and the others. `messages` are what citizens write; our own sentences unless given."""
    chance = random.Random(f"load {seed}")  # nosec B311 - the same load for the same seed; nothing to keep secret
    number_left = max(1, round(count * LEFT_OPEN_SHARE))
    texts = _texts(chance, messages)
    numbers = iter(range(count))
    left = _wave(LEFT, list(islice(numbers, number_left)), within_seconds * _LEFT_WITHIN, texts, is_left=True)
    return left, _wave(LIVES, list(numbers), within_seconds * (_OTHERS_WITHIN - _LEFT_WITHIN), texts, is_left=False)


def _wave(
    lives: Sequence[tuple[Life, str | None]],
    numbers: Sequence[int],
    within: float,
    texts: Iterator[str],
    *,
    is_left: bool,
) -> list[Part]:
    apart = within / max(len(numbers), 1)
    return [
        Part(number, place * apart, life, f"{text or next(texts)}（第{number}件）", is_left)
        for (place, number), (life, text) in zip(enumerate(numbers), cycle(lives), strict=False)
    ]


def _texts(chance: random.Random, messages: Sequence[str]) -> Iterator[str]:
    given = list(messages or ORDINARY)
    while True:
        chance.shuffle(given)
        yield from given
