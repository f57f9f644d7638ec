"""Real messages from a file: which rows are taken, and how a long one is cut. What they say is never shown or logged."""

from __future__ import annotations

import csv
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.given_files import UNREADABLE, opened
from domain.free_text import MAX_DESCRIPTION_CHARACTERS, MAX_TITLE_CHARACTERS

_LONGEST_FIELD = 10_000_000
_SENTENCE_END = re.compile(r"[。！？!?；;\n]|\.(?=\s)")
_NOT_BEFORE_SHARE = 0.75
"""A cut at the end of a sentence may cost at most the last quarter."""

_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
"""The zero-width joiner and the variation selectors hold emoji together."""


class MessagesUnusable(Exception):
    """The file cannot be used; the sentence says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, repr=False)
class CitizenMessage:
    """One message; `label` says what it is about, in the words of whoever sorted the file."""

    title: str
    body: str
    label: str | None


def read_messages(file: Path) -> list[CitizenMessage]:
    """All rows that say something. The file is CSV in UTF-8, plain or gzip, with the columns title and body, perhaps label."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with opened(file) as lines:
            reader = csv.DictReader(lines)
            if missing := {"title", "body"} - set(reader.fieldnames or ()):
                raise MessagesUnusable(f"{file} has no column {' or '.join(sorted(missing))}.")
            found = [message for row in reader if (message := _message(row))]
    except (*UNREADABLE, UnicodeDecodeError, csv.Error) as error:
        raise MessagesUnusable(f"{file} cannot be read as CSV in UTF-8 ({type(error).__name__}).") from None
    if not found:
        raise MessagesUnusable(f"{file} holds no message.")
    return found


def draw(messages: Sequence[CitizenMessage], count: int, seed: int) -> list[CitizenMessage]:
    """So many of them (all, where there are fewer) in the order that the seed gives."""
    chance = random.Random(seed)  # nosec B311 - the same play for the same seed; nothing to be kept from guessing
    return chance.sample(messages, min(count, len(messages)))


def _message(row: dict[str, str | None]) -> CitizenMessage | None:
    title, body = (_without_controls(row.get(column) or "").strip() for column in ("title", "body"))
    if not (body or title):
        return None
    return CitizenMessage(
        title=cut(" ".join(title.split()), MAX_TITLE_CHARACTERS),
        body=cut(body or title, MAX_DESCRIPTION_CHARACTERS),
        label=(row.get("label") or "").strip() or None,
    )


def _without_controls(text: str) -> str:
    """The interface refuses control characters, for no keyboard makes them; files out of old systems hold some."""
    return "".join(
        character for character in text if character in "\n\t\r" or unicodedata.category(character) not in ("Cc", "Cs")
    )


def cut(text: str, at_most: int) -> str:
    """The text, or its beginning: to the end of a sentence if one is near, else of a word, never inside a character."""
    if len(text) <= at_most:
        return text
    kept = text[:at_most]
    for end in (_last_end(_SENTENCE_END.finditer(kept)), kept.rfind(" ")):
        if end >= at_most * _NOT_BEFORE_SHARE:
            return kept[:end].rstrip()
    return _whole_characters(text, at_most)


def _last_end(found: Iterator[re.Match[str]]) -> int:
    return max((match.end() for match in found), default=0)


def _whole_characters(text: str, at_most: int) -> str:
    """What a person sees as one character can be several: a letter and its accents, an emoji of three people."""
    end = at_most
    while end > 0 and _belongs_to_what_stands_before(text, end):
        end -= 1
    return text[: end or at_most].rstrip()


def _belongs_to_what_stands_before(text: str, index: int) -> bool:
    here, before = text[index], text[index - 1]
    return (
        bool(unicodedata.combining(here))
        or here in _JOINERS
        or before == "\u200d"
        or "\U0001f3fb" <= here <= "\U0001f3ff"
    )
