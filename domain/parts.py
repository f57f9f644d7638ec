"""One message about two matters: whether a sentence of it is surely about another department than the whole.

"The lamp is broken, and the school takes fees that nobody explains." The whole decides who leads; a sentence that is surely
about the second likeliest department is evidence that this one has to help.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

SHORTEST_PART = 8
MOST_PARTS = 30
SURE_OF_PART = 0.9
"""How sure a classifier must be of a single sentence."""
SEEN_IN_WHOLE = 0.05
"""What of the whole must speak for the second department too, so that a stray sentence proposes nothing."""
_ENDS = re.compile(r"(?<=[。！？!?；;\n])|(?<=[a-z]\.)\s")

Candidates = Sequence[tuple[str, float]]
Likeliest = tuple[str | None, float]


def sentences_of(text: str) -> Iterator[str]:
    """The first sentences that are long enough to be about something."""
    parts = (part.strip() for part in _ENDS.split(text))
    return islice((part for part in parts if len(part) >= SHORTEST_PART), MOST_PARTS)


def second_part(
    description: str,
    whole: Candidates,
    owner: Callable[[str], str | None],
    likeliest: Callable[[Sequence[str]], Sequence[Likeliest]],
) -> str | None:
    """The first sentence that is surely about the second likeliest department of the whole; None where none is.

    `whole` are the best categories of the likeliest departments, `owner` gives the department of each, and `likeliest` for
    many sentences at once the likeliest department of each, with its probability.
    """
    if len(whole) < 2 or whole[1][1] < SEEN_IN_WHOLE:
        return None
    second, sentences = owner(whole[1][0]), list(sentences_of(description))
    found = zip(sentences, likeliest(sentences) if sentences else (), strict=True)
    return next((each for each, (about, sure) in found if sure >= SURE_OF_PART and about == second), None)
