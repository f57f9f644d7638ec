"""What a person may write: which characters are taken as they are, which are mended, and which are refused.

Emoji, right-to-left scripts and every language are fine. Line breaks become "\\n". The invisible marks that force a
direction on the text after them are taken out, because they can make a sentence read differently from what it says; the
words themselves keep their direction without them. Control characters are refused: no keyboard makes them.
"""

from __future__ import annotations

import re
import unicodedata

from domain.errors import Invalid

MAX_DESCRIPTION_CHARACTERS = 4000
MAX_TITLE_CHARACTERS = 200

_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029]")
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# C0 but for tab and newline, DEL and C1, and halves of surrogate pairs, which are no characters at all.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_VISIBLE = frozenset("LNPS")
"""First letters of the Unicode categories of characters that can be seen: letters, numbers, punctuation, symbols."""


def clean_text(text: str, *, at_most: int) -> str:
    """The text as it is kept, without blanks at its ends; empty when nothing in it can be seen.

    Raises Invalid for a control character and for more than `at_most` characters.
    """
    kept = _DIRECTION_MARKS.sub("", _LINE_BREAKS.sub("\n", text)).strip()
    if found := _REFUSED.search(kept):
        raise Invalid(
            f"Character {found.start() + 1} is a control character (U+{ord(found.group()):04X}), which is no text."
        )
    if len(kept) > at_most:
        raise Invalid(f"This is longer than {at_most:,} characters: it has {len(kept):,}.")
    return kept if any(unicodedata.category(character)[0] in _VISIBLE for character in kept) else ""


def clean_line(text: str, *, at_most: int) -> str:
    """The same for what stands on one line: a name, a title, an address. Raises Invalid."""
    return " ".join(clean_text(text, at_most=at_most).split())
