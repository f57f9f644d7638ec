"""Which parts of a free text are personal data, and what is shown in their place where others may read it.

`personal_data` finds names that something introduces, phone numbers, papers, cards, plates, addresses on the net, accounts
and doors, in Chinese and English, whatever language the text is said to be in. How much it finds and how much it takes too
much is measured: docs/masking.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from domain.personal import Kind, Span, folded
from domain.personal_doors import doors
from domain.personal_names import names
from domain.personal_numbers import accounts, bank_cards, lines_of_offices, papers, phones, plates, public_numbers

PLACEHOLDERS: dict[str, dict[Kind, str]] = {
    "zh": {
        Kind.NAME: "[姓名]", Kind.PHONE: "[电话]", Kind.IDENTITY: "[证件号]", Kind.BANK_CARD: "[银行账号]", Kind.PLATE: "[车牌]",
        Kind.EMAIL: "[邮箱]", Kind.ACCOUNT: "[社交账号]", Kind.ADDRESS: "[门牌]",
    },
    "en": {
        Kind.NAME: "[name]", Kind.PHONE: "[phone]", Kind.IDENTITY: "[identity number]", Kind.BANK_CARD: "[bank account]",
        Kind.PLATE: "[plate]", Kind.EMAIL: "[e-mail]", Kind.ACCOUNT: "[account]", Kind.ADDRESS: "[address]",
    },
}  # fmt: skip

_OTHERWISE = "en"


def masked(text: str, language: str, *, of_office: bool = False, known: Sequence[str] = ()) -> str:
    """The text as others than its author may read it. `language` is that of the placeholders; unknown ones are English.

    With `of_office` it is what the city wrote, as replies are: lines for everybody to call stay. `known` are names that
    are masked wherever they stand, such as the author's own.
    """
    words = PLACEHOLDERS.get(language, PLACEHOLDERS[_OTHERWISE])
    parts, shown_to = [], 0
    for span in personal_data(text, of_office=of_office, known=known):
        parts += [text[shown_to : span.start], words[span.kind]]
        shown_to = span.end
    return "".join([*parts, text[shown_to:]])


def personal_data(text: str, *, of_office: bool = False, known: Sequence[str] = ()) -> list[Span]:
    """What would be masked, in the order of the text, without overlaps."""
    plain = folded(text)
    public = [*public_numbers(plain), *(lines_of_offices(plain) if of_office else ())]
    numbers = chain(bank_cards(plain), phones(plain))
    found = chain(
        accounts(plain), papers(plain), plates(plain), _outside(public, numbers), doors(plain), names(plain, known)
    )  # the surest first: what is taken is taken
    return _apart(found, len(text))


def _outside(public: Iterable[Span], found: Iterable[Span]) -> Iterator[Span]:
    taken = _Taken(public)
    return (span for span in found if not taken.touches(span))


def _apart(found: Iterable[Span], length: int) -> list[Span]:
    taken = _Taken(())
    return sorted(span for span in found if taken.take(span))


class _Taken:
    """Which characters are spoken for: each is asked and set once for each span over it, however many spans there are."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._characters: set[int] = set()
        for span in spans:
            self._characters.update(range(span.start, span.end))

    def touches(self, span: Span) -> bool:
        return not self._characters.isdisjoint(range(span.start, span.end))

    def take(self, span: Span) -> bool:
        if self.touches(span):
            return False
        self._characters.update(range(span.start, span.end))
        return True
