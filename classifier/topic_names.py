"""What a topic is called, and where it is: in words that stand so in a message, and that several of the authors use."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from classifier.topic_words import LONGEST_TEXT, Floats, Unit, Weighed, pairs_of, units_of

MOST_PLACES = 3
_FEWEST_CHARACTERS = 3
_LONGEST_NAME = 24  # Chinese characters or words
_LONGEST_WORDS = 10
_OF_AUTHORS = 0.2
"""A pair that fewer of the authors use makes a name worse."""
_BEGINS = 1.5
_LEFT_OVER = 2
_PLACES_OF_AUTHORS = 0.25

_CLAUSE = re.compile(r"[^。！？!?；;，,、：:\n“”\"（）()《》【】]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_CHINESE_PLACE = re.compile(
    r"[\u3400-\u9fffA-Za-z0-9]{1,6}?(?:小区|花园|新城|街道|社区|广场|大道|公园|学校|学院|大学|医院|市场|车站|大桥"
    r"|(?<![铁公线道马])路|街|巷|镇|乡|村|区|县|苑|湾)"
)
_BEFORE_A_PLACE = re.compile(
    r"^(?:咨询|投诉|举报|反映|反应|关于|建议|希望|请问|请求|影响|附近|位于|整个|我们|小区|要求|居住|住在|地处|以及"
    r"|[在到至从由往向对和与及的本该我请问是有把将让使住靠近为于这那个各])+"
)
_LATIN_PLACE = re.compile(
    r"(?:[A-Z][\w'-]* ){1,3}(?:Road|Street|Lane|Avenue|Square|Park|Bridge|Station|Market|School|Hospital|District|Village)\b"
)


def name_of(texts: Sequence[str], begun: Sequence[int], authors: Sequence[str], weighed: Weighed) -> tuple[str, int]:
    """The stretch of a clause that says most of what its authors have in common, and the number of the text it is from.

    Each pair of the stretch adds its rarity by the share of authors who use it, above a fifth; what hardly anybody else
    says makes it worse. How a message begins is half as telling again: of so many characters, by `begun`, titles and first
    sentences are. Of equals the earliest text has it.
    """
    read = [units_of(text[:LONGEST_TEXT]) for text in texts]
    worth = _worth(read, authors, weighed)
    best = (0.0, texts[0][:_LONGEST_NAME].strip(), 0)
    for number, (text, units, beginning) in enumerate(zip(texts, read, begun, strict=True)):
        for clause in _clauses(text, units):
            score, start, end = _best_stretch(clause, worth)
            start, end = _whole(start, end, len(clause))
            score *= _BEGINS if clause[0].start < beginning else 1.0
            if score > best[0] + 1e-6:
                best = (score, text[clause[start].start : clause[end].end].strip(), number)
    return best[1], best[2]


def places_of(texts: Sequence[str], given: Sequence[str | None], authors: Sequence[str]) -> tuple[str, ...]:
    """Names of places that at least two of the authors and a quarter of them name, the most named first; of names within
    one another, as Lane in Mill Lane, the longer where as many name it."""
    named: dict[str, set[str]] = defaultdict(set)
    for text, place, author in zip(texts, given, authors, strict=True):
        for name in {(place or "").strip(), *_places_in(text[:LONGEST_TEXT])} - {""}:
            named[name].add(author)
    least = max(2, _PLACES_OF_AUTHORS * len(set(authors)))
    kept = sorted(
        (name for name in named if len(named[name]) >= least), key=lambda name: (-len(named[name]), -len(name), name)
    )
    chosen: list[str] = []
    for name in kept:
        if not any(name in other or other in name for other in chosen):
            chosen.append(name)
    return tuple(chosen[:MOST_PLACES])


def _worth(read: Sequence[Sequence[Unit]], authors: Sequence[str], weighed: Weighed) -> dict[str, float]:
    users: dict[str, set[str]] = defaultdict(set)
    for units, author in zip(read, authors, strict=True):
        for pair, _ in pairs_of(units):
            users[pair].add(author)
    every = len(set(authors))
    least = max(_OF_AUTHORS, 1.5 / every)
    usual = _usual(weighed.rarity)
    return {
        pair: (len(using) / every - least)
        * (float(weighed.rarity[weighed.columns[pair]]) if pair in weighed.columns else usual)
        for pair, using in users.items()
    }


def _usual(rarity: Floats) -> float:
    """What a pair costs that is too common or too rare to be weighed."""
    return float(np.median(rarity)) / 2 if len(rarity) else 1.0


def _clauses(text: str, units: Sequence[Unit]) -> Iterator[list[Unit]]:
    for clause in _CLAUSE.finditer(text[:LONGEST_TEXT]):
        inside = [unit for unit in units if clause.start() <= unit.start and unit.end <= clause.end()]
        if inside:
            yield inside


def _best_stretch(units: Sequence[Unit], worth: dict[str, float]) -> tuple[float, int, int]:
    """The score, first and last unit of the best stretch that is not too long."""
    at: dict[int, float] = {}
    single: dict[int, float] = {}
    for pair, number in pairs_of(units):
        if " " in pair:
            at[number] = worth[pair]
        else:
            single[number] = worth[pair]
    longest = _LONGEST_NAME if any(_CHINESE.match(unit.folded) for unit in units) else _LONGEST_WORDS
    best = (0.0, 0, 0)
    for start in range(len(units)):
        score = single.get(start, 0.0)
        for end in range(start + 1, min(start + longest, len(units))):
            score += at[end - 1] + single.get(end, 0.0)
            if score > best[0] + 1e-9:
                best = (score, start, end)
    return best


def _whole(start: int, end: int, length: int) -> tuple[int, int]:
    """With what little is left of the clause on either side, which is mostly the other half of a word."""
    return (0 if start <= _LEFT_OVER else start), (length - 1 if length - 1 - end <= _LEFT_OVER else end)


def _places_in(text: str) -> Iterator[str]:
    """Each name, and in Chinese, where nothing shows where a name begins, each shorter end of it."""
    yield from (found.group() for found in _LATIN_PLACE.finditer(text))
    for found in _CHINESE_PLACE.finditer(text):
        name = _BEFORE_A_PLACE.sub("", found.group())
        yield from (name[start:] for start in range(len(name) - _FEWEST_CHARACTERS + 1))
