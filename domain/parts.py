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


def sentences_of(text: str) -> Iterator[str]:
    """The first sentences that are long enough to be about something."""
    parts = (part.strip() for part in _ENDS.split(text))
    return islice((part for part in parts if len(part) >= SHORTEST_PART), MOST_PARTS)


def second_matter(
    description: str, whole: Candidates, of_part: Callable[[str], Candidates], owner: Callable[[str], str | None]
) -> str | None:
    """The category of the second likeliest department, where a sentence is surely about that; None otherwise.

    `of_part` gives the candidates of a sentence, the best category of each of the likeliest departments, as `whole` does.
    """
    if len(whole) < 2 or whole[1][1] < SEEN_IN_WHOLE:
        return None
    second = owner(whole[1][0])
    for sentence in sentences_of(description):
        found = of_part(sentence)
        if found and found[0][1] >= SURE_OF_PART and owner(found[0][0]) == second:
            return found[0][0]
    return None
