"""What a request is about, by the words of the policy: the classifier of a city that has no trained one yet.

Words in the title count double; a word said again adds little; a word that many departments share says little.

Confidence (0 to 1) is that of the department, not of the category: when two categories of one department both fit,
nobody needs to ask a person where the request goes. It is high for a strong finding that nothing contradicts, at most a
half for a tie, and 0 for nothing.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain.classified import Classified
from domain.lexicon import Forms, Lexicon
from domain.phrases import Listener
from domain.policy import Category, DeclineReason, Policy, Watch
from domain.request import Urgency

TITLE_WEIGHT = 2.0
NAME_WEIGHT = 1.5
HINT_WEIGHT = 0.35
FAINT = 0.25
"""A score below is hardly a finding: a hint or two. A keyword of two characters, said once, scores 1."""
DOUBT, DOUBT_FADES = 0.42, 2.8
"""Of the findings that nothing contradicts so many would be wrong if they were no more than found, and each so many points
of score leave a third of that."""
CONTRAST = 1.2
"""How fast a rival's voice fades with its share of the score."""
CANDIDATES = 3

CHOSEN = "citizen"
_NAME_PARTS = re.compile(r"[、,，;；/（）()]")


_Weighted = tuple[tuple[Forms, float], ...]


@dataclass(frozen=True)
class _Speaks:
    """What one word says for one category, by its number in the policy."""

    category: int
    weight: float


class Classifier:
    """The words of one policy, ready to be looked for; see `Classifier.from_policy`."""

    def __init__(self, policy: Policy) -> None:
        self.name = f"keywords {policy.version}"
        self._policy = policy
        self._categories = policy.categories
        self._owners = [category.department or category.code for category in policy.categories]
        self._words = Lexicon(_category_words(policy.categories))
        self._watches = Listener(policy.watches)
        self._elsewhere = Listener(policy.decline_reasons)

    @staticmethod
    def from_policy(policy: Policy) -> Classifier:
        """The classifier of that policy; compiled once for each version."""
        return _compiled(policy)

    def classify(self, description: str, title: str = "", given: str | None = None) -> Classified:
        """What the text is about. `given` is the category that the citizen chose, trusted if the policy has it.

        Words of danger come first: where neither the citizen nor the text names a category of danger, theirs is taken.
        """
        texts = _weighted(description, title)
        alarms, reasons = self._heard(description, title, texts)
        candidates = self._candidates(self._scores(texts))
        category, confidence, by = self._decided(candidates, given)
        danger = next((watch for watch in alarms if watch.danger), None)
        if danger is not None and danger.category is not None and not self._is_danger(category):
            category, by = danger.category, f"watch words {danger.code}"
        return Classified(
            category=category,
            confidence=confidence,
            candidates=candidates,
            danger=danger is not None,
            sensitive=any(watch.sensitive for watch in alarms),
            decided_by=by,
            elsewhere=tuple(reason.code for reason in reasons),
        )

    def heard(self, description: str, title: str = "") -> tuple[list[Watch], list[DeclineReason]]:
        """The watches that the text sets off, and the reasons to decline that its words speak for."""
        return self._heard(description, title, _weighted(description, title))

    def _heard(self, description: str, title: str, texts: _Weighted) -> tuple[list[Watch], list[DeclineReason]]:
        whole = f"{title}\n{description}"
        forms = Forms.joined(form for form, _ in texts)
        return self._watches.hear(whole, forms), self._elsewhere.hear(whole, forms)

    def ranked(self, description: str, title: str = "") -> tuple[str, ...]:
        """Every category that a word of the text speaks for, the likeliest first."""
        scores = self._scores(_weighted(description, title))
        return tuple(self._categories[number].code for number in sorted(scores, key=lambda each: (-scores[each], each)))

    def _decided(self, candidates: Sequence[tuple[str, float]], given: str | None) -> tuple[str | None, float, str]:
        """Category, confidence, and who says so."""
        if given is not None and self._policy.has_category(given):
            return given, 1.0, CHOSEN
        category, confidence = candidates[0] if candidates else (None, 0.0)
        return category, confidence, self.name

    def _is_danger(self, category: str | None) -> bool:
        return category is not None and self._policy.category(category).urgency is Urgency.DANGER

    def _scores(self, texts: _Weighted) -> dict[int, float]:
        heard: dict[str, float] = defaultdict(float)
        speaks: dict[str, list[_Speaks]] = {}
        for text, weight in texts:
            for word, said in self._words.find(text):
                heard[word] += weight
                speaks[word] = said
        scores: dict[int, float] = defaultdict(float)
        for word, times in heard.items():
            share = 1 / len({self._owners[each.category] for each in speaks[word]})
            for each in speaks[word]:
                scores[each.category] += each.weight * share * (1 + math.log(times))
        return scores

    def _candidates(self, scores: Mapping[int, float]) -> tuple[tuple[str, float], ...]:
        """The best category of each of the likeliest departments, with the confidence of that department."""
        owners: dict[str, float] = defaultdict(float)
        best: dict[str, int] = {}
        for category, score in scores.items():
            owner = self._owners[category]
            owners[owner] += score
            if owner not in best or score > scores[best[owner]]:
                best[owner] = category
        ranked = sorted(owners, key=lambda owner: (-owners[owner], owner))[:CANDIDATES]
        return tuple((self._categories[best[owner]].code, _confidence(owners, owner)) for owner in ranked)


@lru_cache(maxsize=8)
def _compiled(policy: Policy) -> Classifier:
    return Classifier(policy)


def _weighted(description: str, title: str) -> _Weighted:
    return ((Forms.of(title), TITLE_WEIGHT), (Forms.of(description), 1.0))


def _confidence(owners: Mapping[str, float], owner: str) -> float:
    """How often a finding as strong as this one is right, times how clearly it stands out from the strongest other.

    The curve was fitted to how often the words of the demonstration city named the right department in 3,000 messages
    that people had sorted; it stays within a few hundredths of that (docs/classifier.md).
    """
    score = owners[owner]
    rival = max((other for code, other in owners.items() if code != owner), default=0.0)
    strength = (1 - math.exp(-score / FAINT)) * (1 - DOUBT * math.exp(-score / DOUBT_FADES))
    contradiction: float = (rival / score) ** CONTRAST
    return round(strength / (1 + contradiction), 4)


def _weight(word: str, language: str) -> float:
    """A longer word is a surer one; in Chinese a character is about as much as a syllable."""
    length = len(word) / 3 if language == "en" else len(word)
    return min(0.4 + 0.3 * length, 1.9)


def _category_words(categories: tuple[Category, ...]) -> Iterator[tuple[str, str, _Speaks | None]]:
    for number, category in enumerate(categories):
        for language, words in category.keywords.items():
            yield from ((language, word, _Speaks(number, _weight(word, language))) for word in words)
        for language, words in category.hints.items():
            yield from ((language, word, _Speaks(number, HINT_WEIGHT * _weight(word, language))) for word in words)
        for language, name in category.name.items():
            parts = [part.strip() for part in _NAME_PARTS.split(name)]
            yield from ((language, part, _Speaks(number, NAME_WEIGHT)) for part in parts if len(part) > 2)
