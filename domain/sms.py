"""How many SMS a text becomes: which alphabet it needs and how many characters of it fit into one part.

Sources: 3GPP TS 23.038 section 6.2.1 (alphabet and extension table), TS 23.040 section 9.2.3.24 (concatenation: six
octets of each part go to the header that joins them again).
"""

from __future__ import annotations

from collections.abc import Iterable

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Written as an escape and a second septet."""

GSM_SINGLE, GSM_JOINED = 160, 153
UCS2_SINGLE, UCS2_JOINED = 70, 67


def fits_gsm(text: str) -> bool:
    """Whether the 7-bit alphabet can write all of it; one character that it cannot makes the whole text UCS-2."""
    return all(character in _BASIC or character in _EXTENSION for character in text)


def count_parts(text: str) -> int:
    """The number of SMS that the text is sent, and paid, as; an empty text is one."""
    if fits_gsm(text):
        return _count((2 if character in _EXTENSION else 1 for character in text), GSM_SINGLE, GSM_JOINED)
    return _count((2 if ord(character) > 0xFFFF else 1 for character in text), UCS2_SINGLE, UCS2_JOINED)


def _count(widths: Iterable[int], single: int, joined: int) -> int:
    # An escape stays with its character and a surrogate with its twin, so a part may end one unit short.
    total, parts, used = 0, 1, 0
    for width in widths:
        total += width
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return 1 if total <= single else parts
