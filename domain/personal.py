"""The kinds of personal data that a free text holds, where they stand in it, and the form of a text they are looked for in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from re import Match, Pattern
from typing import NamedTuple


class Kind(StrEnum):
    """What a piece of text gives away."""

    NAME = "name"
    PHONE = "phone"
    IDENTITY = "identity"  # identity card, passport, social security
    BANK_CARD = "bank_card"  # and bank accounts
    PLATE = "plate"
    EMAIL = "email"
    ACCOUNT = "account"  # WeChat, QQ
    ADDRESS = "address"  # what leads to the door; the street and the housing estate stay


class Span(NamedTuple):
    """From `start` to before `end`, in characters."""

    start: int
    end: int
    kind: Kind

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


def folded(text: str) -> str:
    """Full-width letters, digits and punctuation as ASCII, each character in its place."""
    return "".join(map(_plain, text))


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    if character in "•‧・":
        return "·"
    if character in "‐‑‒–—－﹣−":
        return "-"
    if character.isspace() and character != "\n":
        return " "
    compatible = unicodedata.normalize("NFKC", character)
    if len(compatible) != 1:
        return character
    digit = unicodedata.decimal(compatible, None)
    return compatible if digit is None else str(digit)


def spans(pattern: Pattern[str], text: str, kind: Kind) -> Iterator[Span]:
    """What the pattern finds: its group `it` where it has one, else all of it."""
    for found in pattern.finditer(text):
        yield span_of(found, kind)


def span_of(found: Match[str], kind: Kind) -> Span:
    group: str | int = "it" if "it" in found.re.groupindex else 0
    return Span(*found.span(group), kind)
