"""Which requests may be one and the same matter: how alike their texts are, how near their places, and one score of it all.

Every part that speaks for one matter is a number from 0 (says nothing) to 1 (certain), and they add up as independent
witnesses do: together = 1 - (1 - text) (1 - place) (1 - sender). What speaks against it shrinks that:
score = together x category x time x distance. What is not known (no point, no text) says nothing and shrinks nothing.

The weights are judgements, checked by `huisheng duplicates evaluate`; docs/duplicates.md has the figures.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

WINDOW = timedelta(days=30)
"""How far apart two requests may be sent and still be compared."""
NEARBY_METRES = 300.0
"""How far around a point others are looked for."""
MOST_COMPARED = 500
"""How many requests are opened and compared at most: a twelfth of a second, and a month of one category in most cities."""
SHOWN_FROM = 0.3
"""The score from which a dispatcher is shown a request. Of real texts, with nothing else known, every second pair just above
it is one matter, and six of seven of all above it; little is found by going lower (docs/duplicates.md)."""
MOST_SHOWN = 10

LONGEST_TEXT = 1000
"""Characters that are compared: nine of ten messages are shorter, and what a longer one is about is said by then."""
_ENOUGH = 30.0
# "Pothole" twice says no more than the category does: thirty Chinese characters, or ten English words (sixty letters), say
# where and what. Below that a likeness counts in proportion.
_UNRELATED, _SURE = 0.1, 0.6
# Unrelated messages of one kind are alike up to 0.1 (one in ten English ones a little more); from 0.6 on nine of ten pairs
# are the same message sent again or passed on.
_TEXT_WEIGHT = 0.9
_PLACE_WEIGHT = 0.6  # two reports of one kind at one spot within a month: rather one matter than two
_SENDER_WEIGHT = 0.3  # somebody who writes again may have the next trouble
_HALF_AT_METRES = 60.0
# Where nearness counts half. FixMyStreet looks for duplicates within 50 to 100 m (pull requests 1677 and 5162): that is
# how far apart people put the point of one thing.
_SAME_ADDRESS, _SAME_PLACE = 0.8, 0.6  # how much it counts as near; a name can stand for a whole street
_FAR_METRES = 1000.0  # where distance speaks so much against it that a score is halved
_LIKELY_CATEGORY, _OTHER_CATEGORY = 0.8, 0.6
_LOST_IN_WINDOW = 0.3  # what the score loses over the whole window
_EARTH_METRES = 6_371_000.0

_IDEOGRAPHS = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_CHARACTERS, _LETTERS, _NUMBER = 2, 4, "#"
_RUNS = re.compile(rf"\d+|[{_IDEOGRAPHS}]+|[^\W\d_{_IDEOGRAPHS}]+")
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")

Thing = TypeVar("Thing")
Point = tuple[float, float]
"""Latitude and longitude in degrees (WGS-84)."""


@dataclass(frozen=True, slots=True, repr=False)
class Grams:
    """The pieces of a text, and how much they say, in Chinese characters: two letters say about as much as one of them."""

    pieces: frozenset[str] = frozenset()
    amount: float = 0.0


NO_TEXT = Grams()


@dataclass(frozen=True, slots=True, repr=False)
class Matter:
    """What is compared of a request. `categories` has the likeliest first; `place` and `address` are plain names;
    `sender` is equal for equal senders."""

    submitted_at: datetime
    grams: Grams = NO_TEXT
    categories: tuple[str, ...] = ()
    point: Point | None = None
    place: str | None = None
    address: str | None = None
    sender: bytes | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two requests look like one matter, and why. `text` and `metres` are None where one of them has none."""

    score: float
    text: float | None
    metres: float | None
    same_address: bool
    same_place: bool
    same_sender: bool
    same_category: bool
    days: float


def grams_of(*texts: str | None) -> Grams:
    """The pieces that texts are compared by, without case, width and punctuation.

    Pairs of characters where a character is a syllable (Chinese, Japanese, Korean), four characters at a time in
    alphabets, over the spaces; a number is one piece, so that house 12 is not nearly house 112.
    """
    written = "\n".join(text for text in texts if text)[:LONGEST_TEXT]
    syllables: set[str] = set()
    words: list[str] = []
    for run in _RUNS.findall(unicodedata.normalize("NFKC", written).casefold()):
        if run[0].isdigit():
            syllables.add(_NUMBER + run.lstrip("0"))
        elif _IDEOGRAPH.match(run):
            syllables.update(_pieces(run, _CHARACTERS))
        else:
            words.append(run)
    letters = set(_pieces(f" {' '.join(words)} ", _LETTERS)) if words else set()
    return Grams(frozenset(syllables | letters), len(syllables) + len(letters) / 2)


def _pieces(text: str, length: int) -> Iterable[str]:
    return (text[start : start + length] for start in range(max(len(text) - length + 1, 1)))


def alike(one: Grams, other: Grams) -> float | None:
    """From 0 (nothing in common) to 1 (the same): twice the pieces that both have, by the pieces of both (Dice).

    None where one of them says nothing.
    """
    if not one.pieces or not other.pieces:
        return None
    return 2 * len(one.pieces & other.pieces) / (len(one.pieces) + len(other.pieces))


def plain_name(name: str | None) -> str | None:
    """The name of a place as it is compared: without case, width, blanks and punctuation; None when nothing is left."""
    kept = "".join(_RUNS.findall(unicodedata.normalize("NFKC", name or "").casefold()))
    return kept or None


def exact_point(lat: float | None, long: float | None) -> Point | None:
    """The point, unless it is so round (about a kilometre) that it stands for "somewhere in the city"."""
    if lat is None or long is None or (round(lat, 2) == lat and round(long, 2) == long):
        return None
    return lat, long


def metres_between(one: Point, other: Point) -> float:
    """Along the ground; exact enough for the size of a city."""
    apart = abs(other[1] - one[1])
    north = math.radians(other[0] - one[0])
    east = math.radians(min(apart, 360 - apart)) * math.cos(math.radians((one[0] + other[0]) / 2))
    return _EARTH_METRES * math.hypot(north, east)


def compare(one: Matter, other: Matter) -> Likeness:
    """The same whichever of the two is named first."""
    metres = metres_between(one.point, other.point) if one.point and other.point else None
    text = alike(one.grams, other.grams)
    same_address = one.address is not None and one.address == other.address
    same_place = one.place is not None and one.place == other.place
    same_sender = one.sender is not None and one.sender == other.sender
    days = abs((one.submitted_at - other.submitted_at).total_seconds()) / 86_400
    together = _together(
        _TEXT_WEIGHT * text_evidence(one.grams, other.grams, text),
        _PLACE_WEIGHT * _nearness(metres, same_address, same_place),
        _SENDER_WEIGHT * same_sender,
    )
    against = _by_category(one, other) * _by_time(days) * _by_distance(metres)
    return Likeness(
        score=round(together * against, 4),
        text=text,
        metres=metres,
        same_address=same_address,
        same_place=same_place,
        same_sender=same_sender,
        same_category=bool(one.categories) and one.categories[:1] == other.categories[:1],
        days=days,
    )


def rank(
    matter: Matter, others: Iterable[tuple[Thing, Matter]], *, least: float = SHOWN_FROM, most: int = MOST_SHOWN
) -> list[tuple[Thing, Likeness]]:
    """Those that score at least `least`, the likeliest first, at most `most`; of equals the one sent first."""
    compared = [(thing, other.submitted_at, compare(matter, other)) for thing, other in others]
    likely = [entry for entry in compared if entry[2].score >= least]
    likely.sort(key=lambda entry: (-entry[2].score, entry[1]))
    return [(thing, likeness) for thing, _, likeness in likely[:most]]


def text_evidence(one: Grams, other: Grams, likeness: float | None) -> float:
    """What that likeness of two texts says, from 0 to 1: little where one of them says little."""
    spread = ((likeness or 0.0) - _UNRELATED) / (_SURE - _UNRELATED)
    return min(max(spread, 0.0), 1.0) * min(one.amount, other.amount, _ENOUGH) / _ENOUGH


def _together(*evidence: float) -> float:
    return 1 - math.prod(1 - each for each in evidence)


def _nearness(metres: float | None, same_address: bool, same_place: bool) -> float:
    """Points decide where both are known: a road has one name over many kilometres."""
    if metres is not None:
        return 1 / (1 + (metres / _HALF_AT_METRES) ** 2)
    return _SAME_ADDRESS if same_address else _SAME_PLACE if same_place else 0.0


def _by_category(one: Matter, other: Matter) -> float:
    if one.categories[:1] == other.categories[:1] and one.categories:
        return 1.0
    is_open = not one.categories or not other.categories or set(one.categories) & set(other.categories)
    return _LIKELY_CATEGORY if is_open else _OTHER_CATEGORY


def _by_time(days: float) -> float:
    return 1 - _LOST_IN_WINDOW * min(days / (WINDOW / timedelta(days=1)), 1.0)


def _by_distance(metres: float | None) -> float:
    return 1.0 if metres is None else 1 / (1 + (metres / _FAR_METRES) ** 2)
