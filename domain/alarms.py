"""What has to be said of a danger that was heard in a text: its kind, where it was heard, and what weighed for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from domain.text_forms import Forms


@dataclass(frozen=True, slots=True)
class Weighed:
    """A run of the text, and how much it speaks for danger, or against it where less than 0."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True, repr=False)
class Alarm:
    """`watch` is the code of the watch whose sentences are most like the `part`; `margin` is how far beyond need it sounds so.

    The part holds the citizen's words: it is shown on request, and goes into no log, event or history.
    """

    watch: str
    part: str
    margin: float


class Alarms(Protocol):
    """What listens beside the words of the policy."""

    @property
    def version(self) -> str: ...
    def __hash__(self) -> int: ...

    def alarm(self, text: Forms, *, by_words: bool) -> Alarm | None:
        """`by_words` tells that the words of the policy speak of danger."""
        ...
