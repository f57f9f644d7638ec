"""Marked sentences, and how much of what is marked in them is masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from domain.masking import personal_data
from domain.personal import Kind, Span

_MARK = re.compile(rf"\[({'|'.join(Kind)}):([^\]]+)\]")
_LANGUAGES = ("zh", "en")


class SentencesUnusable(Exception):
    """The file cannot be read as marked sentences; the message names the line and what is wrong."""


class Part(StrEnum):
    """Odd sentences are for building, even ones are held out."""

    BUILDING = "building"
    HELD_OUT = "held-out"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Sentence:
    language: str
    text: str
    wanted: tuple[Span, ...]

    @property
    def masked(self) -> list[Span]:
        return personal_data(self.text)


@dataclass(frozen=True, slots=True)
class Measure:
    """Counted in spans. One is right when it begins and ends where the mark does and is of its kind; `leaking` are marked
    ones of which at least one character stays readable."""

    wanted: int
    masked: int
    right: int
    leaking: int


def read_sentences(file: Path, part: Part = Part.ALL) -> list[Sentence]:
    """One sentence a line, with its language before it. Raises SentencesUnusable."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SentencesUnusable(f"{file} cannot be read as text in UTF-8 ({type(error).__name__}).") from None
    told = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    sentences = [_sentence(file, number, line) for number, line in told]
    if not sentences:
        raise SentencesUnusable(f"{file} holds no sentence.")
    return {Part.BUILDING: sentences[0::2], Part.HELD_OUT: sentences[1::2], Part.ALL: sentences}[part]


def _sentence(file: Path, number: int, line: str) -> Sentence:
    language, _, marked = line.partition(" ")
    if language not in _LANGUAGES or not marked:
        raise SentencesUnusable(f"{file}, line {number}: write the language (zh or en), a blank, and the sentence.")
    marked = marked.replace("\\n", "\n")
    text, wanted, read_to = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[read_to : mark.start()]
        wanted.append(Span(len(text), len(text) + len(mark[2]), Kind(mark[1])))
        text += mark[2]
        read_to = mark.end()
    return Sentence(language, text + marked[read_to:], tuple(wanted))


def measure(sentences: Iterable[Sentence], kinds: Sequence[Kind] = tuple(Kind)) -> Measure:
    """All that is wanted and all that is masked of these kinds."""
    wanted = masked = right = leaking = 0
    for sentence in sentences:
        found = sentence.masked
        hidden = {place for span in found for place in range(span.start, span.end)}
        ours = [span for span in sentence.wanted if span.kind in kinds]
        wanted += len(ours)
        masked += sum(span.kind in kinds for span in found)
        right += len(set(ours) & set(found))
        leaking += sum(not hidden.issuperset(range(span.start, span.end)) for span in ours)
    return Measure(wanted, masked, right, leaking)


def left_whole(sentences: Iterable[Sentence]) -> tuple[int, int]:
    """Of the sentences with nothing to mask: how many stay as they are, and how many there are."""
    innocent = [sentence for sentence in sentences if not sentence.wanted]
    return sum(not sentence.masked for sentence in innocent), len(innocent)
