"""Names of people, known by the word beside them: a title after or before, or words that introduce somebody.

A name that nothing introduces is not found: without a model of the language it looks like any other words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from domain.personal import Kind, Span, spans
from domain.personal_words import (
    AFTER_SHORT_TITLE,
    COMPOUND_SURNAMES,
    ENGLISH_TITLES,
    FOLLOWS_NAME,
    LEADS,
    NAMES_OF_PLACES,
    NO_ENGLISH_NAMES,
    NO_NAME_AFTER_LEAD,
    NO_NAMES,
    NO_NAMES_BEFORE_TITLES,
    NO_TITLES_BEFORE,
    NOT_AFTER_I_AM,
    NOT_IN_GIVEN_NAMES,
    OFFICES,
    SHORT_TITLES,
    SURNAMES,
    THANKS,
    TITLES,
    WORDLIKE,
)

_IDEOGRAPH = "\u4e00-\u9fff"
_FAMILY = f"(?:{'|'.join(sorted(COMPOUND_SURNAMES))}|[{''.join(sorted(SURNAMES))}])"

_TITLE = re.compile(f"副?(?:{'|'.join(sorted(TITLES, key=len, reverse=True))})(?!{NO_TITLES_BEFORE})")
_SHORT_TITLE = re.compile(f"[{SHORT_TITLES}]")
_SOMEBODY = re.compile(f"(?<![属位由对关至])(?P<it>{_FAMILY}(?:某{{1,3}}(?![年月日天个种些处次地]))[{_IDEOGRAPH}]?)")
_OF_FAMILY = re.compile(f"(?P<it>{_FAMILY})姓(?=[男女老业经村市居住租邻户])")
_LEAD = re.compile(f"({'|'.join(sorted(LEADS, key=len, reverse=True))})(?:姓名|名字)?[:是为叫 ]{{0,3}}")
_I_AM_CALLED = re.compile(rf"我姓(?P<it>{_FAMILY})(?=[,。.;、!(\s名住在]|$)")
_CHINESE_NAME = re.compile(f"({_FAMILY})([{_IDEOGRAPH}]{{1,2}})")


_MOST_SAID_AGAIN = 20


def names(text: str, known: Sequence[str] = ()) -> Iterator[Span]:
    """A name that is `known` or was introduced once is found wherever else it stands in the text."""
    introduced = list(_introduced(text))
    yield from introduced
    told = (text[span.start : span.end] for span in introduced if span.end - span.start > 2)
    full = dict.fromkeys([*(name.strip() for name in known if len(name.strip()) > 1), *told])
    for name in list(full)[:_MOST_SAID_AGAIN]:
        yield from spans(re.compile(re.escape(name)), text, Kind.NAME)


def _introduced(text: str) -> Iterator[Span]:
    yield from _before_titles(text)
    for pattern in (_I_AM_CALLED, _OF_FAMILY):
        yield from spans(pattern, text, Kind.NAME)
    yield from _unnamed(text)
    yield from _after_leads(text)
    yield from _english(text)


# --- Chinese ------------------------------------------------------------------------------------------------------------


def _before_titles(text: str) -> Iterator[Span]:
    for title in _TITLE.finditer(text):
        start = _start_of_name(text, title.start())
        if start is not None and not (text[start : title.start()] == "任" and title.group().endswith(OFFICES)):
            yield Span(start, title.start(), Kind.NAME)
    for title in _SHORT_TITLE.finditer(text):
        start, end = title.start() - 1, title.start()
        after = text[title.end() : title.end() + 1]
        if after not in AFTER_SHORT_TITLE and _is_lone_surname(text, end) and text[start] not in WORDLIKE:
            yield Span(start, end, Kind.NAME)


def _start_of_name(text: str, end: int) -> int | None:
    """Where the name begins that ends there: with surname and given name if it can be, else with a surname alone."""
    for length in (4, 3, 2):
        start = end - length
        if (
            start >= 0
            and _is_full_name(text[start:end])
            and not _belongs_to_word(text, end)
            and not _thanks(text, start)
        ):
            return start
    return end - 1 if _is_lone_surname(text, end) else None


def _thanks(text: str, start: int) -> bool:
    """感谢杨书记: what looks like the surname is the end of a word."""
    return text.endswith(THANKS, 0, start + 1)


def _is_full_name(name: str) -> bool:
    if name.startswith(NO_NAMES):
        return False
    if name in COMPOUND_SURNAMES:
        return True
    family = 2 if name[:2] in COMPOUND_SURNAMES else 1
    if family == 1 and (name[0] not in SURNAMES or name[0] in WORDLIKE):
        return False
    given = name[family:]
    return 1 <= len(given) <= 2 and _can_be_given(given)


def _can_be_given(given: str) -> bool:
    return all("\u4e00" <= each <= "\u9fff" for each in given) and NOT_IN_GIVEN_NAMES.isdisjoint(given)


def _is_lone_surname(text: str, end: int) -> bool:
    return end > 0 and text[end - 1] in SURNAMES and not _belongs_to_word(text, end)


def _belongs_to_word(text: str, end: int) -> bool:
    return any(text[max(0, end - length) : end] in NO_NAMES_BEFORE_TITLES for length in (1, 2, 3))


def _unnamed(text: str) -> Iterator[Span]:
    """李某, 王某某, 张某明: a name half hidden is masked whole."""
    for found in _SOMEBODY.finditer(text):
        start, end = found.span("it")
        last = text[end - 1]
        # 李某和: what follows the last 某 is the next word as often as a given name.
        is_given = last == "某" or (_can_be_given(last) and text[end : end + 1] in FOLLOWS_NAME)
        yield Span(start, end if is_given else end - 1, Kind.NAME)


def _after_leads(text: str) -> Iterator[Span]:
    for lead in _LEAD.finditer(text):
        found = _CHINESE_NAME.match(text, lead.end())
        is_sure = lead.group().rstrip().endswith((":", "叫"))
        if found is None or text[lead.end() : lead.end() + 2] in NO_NAME_AFTER_LEAD:
            continue
        if not is_sure and found[1] in WORDLIKE:
            continue
        end = _end_of_name(text, found, is_sure=is_sure)
        if end is not None and not _says_what_somebody_is(lead[1], text[found.start() : end]):
            yield Span(found.start(), end, Kind.NAME)


def _end_of_name(text: str, found: re.Match[str], *, is_sure: bool) -> int | None:
    """The given name has two characters or one, and the next word begins after it; or is thought to, after 姓名:."""
    family = found.end(1)
    ends = [end for end in range(found.end(2), family, -1) if _can_be_given(text[family:end])]
    for end in ends:
        if text[end : end + 1] in ("", *FOLLOWS_NAME) or _TITLE.match(text, end):
            return end
    return ends[0] if is_sure and ends else None


def _says_what_somebody_is(lead: str, name: str) -> bool:
    return lead == "我是" and name[-1] in NOT_AFTER_I_AM


# --- English ------------------------------------------------------------------------------------------------------------

_WORD = r"(?:[OD]['’])?+[A-Z][a-z]{1,20}+(?:-[A-Z][a-z]{1,20}+)?+"
_INITIALS = r"(?:[A-Z]\. ?){0,2}+"
_NOT_A_PLACE = rf"(?! (?:{'|'.join(dict.fromkeys(NAMES_OF_PLACES))})\b)"
_ONE_TO_THREE = rf"(?P<it>(?>{_INITIALS}{_WORD}(?: {_WORD}){{0,2}}+)){_NOT_A_PLACE}"
_TWO_OR_THREE = rf"(?P<it>{_WORD}(?: [A-Z]\.)?(?: {_WORD}){{1,2}}+)"
_ENGLISH = (
    re.compile(rf"\b(?>{'|'.join(sorted(ENGLISH_TITLES, key=len, reverse=True))})\.?+ {_ONE_TO_THREE}"),
    re.compile(rf"\b[Nn]ame(?>'s| is|:| :) {{0,2}}+{_ONE_TO_THREE}"),
    re.compile(rf"\b(?>[Cc]ontact person|[Cc]ontact|[Ss]igned|[Rr]egards|[Ss]incerely|[Ff]aithfully|[Tt]ruly)[:,]\s{{0,2}}+{_ONE_TO_THREE}(?=[,.\n]|$)"),
    re.compile(rf"\b[Tt]his is {_ONE_TO_THREE}(?= speaking| calling| from|,)"),
    re.compile(rf"\b(?:I'm|I am) {_TWO_OR_THREE}(?=[,.\n]| and| from| of|$)"),
    re.compile(rf"\b(?:[Cc]all|[Cc]ontact|[Pp]hone|[Ee]mail|[Tt]ext|[Aa]sk for|[Ss]peak to|[Mm]y (?:wife|husband|son|daughter|neighbou?r|landlord)) {_TWO_OR_THREE}(?=[,.(]| at| on|$)"),
)  # fmt: skip
_SMALL = re.compile(
    r"\b(?:my name is|mr\.?|mrs\.?|ms\.) (?P<it>[a-z][a-z'-]{1,20}+)(?P<second> [a-z][a-z'-]{1,20}+)?(?! (?:street|road)\b)"
)
_PLACE_IN_NAME = re.compile(rf"\b(?:{'|'.join(dict.fromkeys(NAMES_OF_PLACES))})\b")


def _english(text: str) -> Iterator[Span]:
    for pattern in _ENGLISH:
        yield from _of_people(text, spans(pattern, text, Kind.NAME))
    for found in _SMALL.finditer(text):
        if found["it"] not in NO_ENGLISH_NAMES:
            second = (found["second"] or "").strip()
            is_name = bool(second) and found.group().startswith("my name is") and second not in NO_ENGLISH_NAMES
            yield Span(found.start("it"), found.end("second") if is_name else found.end("it"), Kind.NAME)


def _of_people(text: str, found: Iterable[Span]) -> Iterator[Span]:
    return (span for span in found if not _PLACE_IN_NAME.search(text[span.start : span.end]))
