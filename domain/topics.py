"""When a topic is the same as one found before, and when its growth is a matter to warn of anew."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import TypeVar

Known = TypeVar("Known", bound=Hashable)
Request = TypeVar("Request", bound=Hashable)

SAME_FROM = 0.3
"""The part of the smaller one's requests that two topics share when they are one. Most stay the same from one look to the
next; old ones leave the period and new ones come in."""


def same_as(found: Sequence[Set[Request]], known: Mapping[Known, Set[Request]]) -> list[Known | None]:
    """For each found topic the known one that it goes on, None for a new one; those that share the most first, each known
    one once."""
    pairs = sorted(
        (
            (-len(requests & others), number, place, name)
            for number, requests in enumerate(found)
            for place, (name, others) in enumerate(known.items())
            if requests & others and len(requests & others) >= SAME_FROM * min(len(requests), len(others))
        ),
        key=lambda pair: pair[:3],
    )
    chosen: dict[int, Known] = {}
    for _, number, _, name in pairs:
        if number not in chosen and name not in chosen.values():
            chosen[number] = name
    return [chosen.get(number) for number in range(len(found))]


def is_to_warn(is_spike: bool, was_spike: bool, warned_at: datetime | None, now: datetime, lately: timedelta) -> bool:
    """Once a spike: again only after one that has ended, and when nothing that counts as lately counted then."""
    if not is_spike:
        return False
    return warned_at is None or (not was_spike and now - warned_at >= lately)
