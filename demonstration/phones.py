"""Phone numbers that belong to nobody: 555-0100 to 555-0199 of each North American area, kept free for fiction."""

from __future__ import annotations

AREAS = (202, 206, 212, 213, 303, 305, 312, 404, 415, 503, 602, 617, 702, 713, 808, 917)
_IN_AN_AREA = 100


def fictitious_phone(number: int) -> str:
    """The number-th of them in E.164 form; from the 1,600th on they come again."""
    area = AREAS[number // _IN_AN_AREA % len(AREAS)]
    return f"+1{area}5550{100 + number % _IN_AN_AREA}"
