"""The public number of a request: short enough to dictate, with a check digit against a slip.

`2611-4829-13704` is year and month, eight random digits, and a check digit after Damm (2004), which catches every single
wrong digit and every swap of neighbours. It says nothing of how many requests there are and cannot be counted up.
"""

from __future__ import annotations

from datetime import date

_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
NUMBERS = 10**8
"""How many random numbers a month has."""

_LENGTH = 13


def _check_digit(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim


def make_reference(on: date, number: int) -> str:
    """The reference of the request submitted on that day with that random number (0 to 99,999,999)."""
    if not 0 <= number < NUMBERS:
        raise ValueError(f"the number of a reference lies between 0 and {NUMBERS - 1}")
    digits = f"{on:%y%m}{number:08d}"
    digits += str(_check_digit(digits))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def parse_reference(text: str) -> str | None:
    """The reference a person meant, in its written form; None when the digits do not add up.

    Blanks and hyphens may stand anywhere, and full-width digits are read as digits.
    """
    kept = "".join(character for character in text if not character.isspace() and character not in "-‐‑–—－")
    try:
        digits = "".join(str(int(character)) for character in kept)
    except ValueError:
        return None
    if len(digits) != _LENGTH or _check_digit(digits) != 0:
        return None
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"
