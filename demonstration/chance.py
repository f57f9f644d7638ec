"""Chance that comes out the same every time: drawn from words, such as the seed and what is decided."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def chance(*words: object) -> float:
    """From 0 up to 1, evenly spread, and always the same for the same words."""
    drawn = hashlib.sha256(":".join(map(str, words)).encode()).digest()[:8]
    return int.from_bytes(drawn, "big") / 2**64


def choose(drawn: float, shares: Sequence[tuple[T, float]]) -> T:
    """The choice on whose share `drawn` (0 to 1) falls. The last one takes what the others leave."""
    for choice, share in shares[:-1]:
        if drawn < share:
            return choice
        drawn -= share
    return shares[-1][0]
