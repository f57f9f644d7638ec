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

from domain.alarms import Alarm, Alarms
from domain.classified import Classified
from domain.lexicon import Lexicon
from domain.phrases import Listener
from domain.policy import Category, DeclineReason, Policy, Watch
from domain.request import Urgency
from domain.text_forms import Forms

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


@dataclass(frozen=True)
class _Speaks:
    """What one word says for one category, by its number in the policy."""

    category: int
    weight: float


@dataclass(frozen=True, slots=True, repr=False)
class Read:
    """A message made ready for everything that looks for words in it."""

    title: Forms
    description: Forms
    whole: Forms

    @classmethod
    def of(cls, description: str, title: str = "") -> Read:
        parts = (Forms.of(title), Forms.of(description))
        return cls(*parts, whole=Forms.joined(parts))


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """What the words and the examples of the policy found; `by_words` tells that its words speak of danger, `alarm` what was
    learnt of it."""

    watches: tuple[Watch, ...]
    reasons: tuple[DeclineReason, ...]
    danger: Watch | None
    by_words: bool
    alarm: Alarm | None = None

    @property
    def doubted(self) -> bool:
        """Only words speak of danger, and the examples speak against it."""
        return self.by_words and self.danger is None


class Classifier:
    """The words of one policy, ready to be looked for; see `Classifier.from_policy`."""

    def __init__(self, policy: Policy, alarms: Alarms | None = None) -> None:
        self.name = f"keywords {policy.version}"
        self.alarms = alarms
        self._policy = policy
        self._categories = policy.categories
        self._owners = [category.department or category.code for category in policy.categories]
        self._words = Lexicon(_category_words(policy.categories))
        self._watches = Listener(policy.watches)
        self._watch = {watch.code: watch for watch in policy.watches}
        self._elsewhere = Listener(policy.decline_reasons)

    @staticmethod
    def from_policy(policy: Policy, alarms: Alarms | None = None) -> Classifier:
        """The classifier of that policy; compiled once for each version. Without `alarms` its words alone find danger."""
        return _compiled(policy, alarms)

    def classify(self, description: str, title: str = "", given: str | None = None) -> Classified:
        """What the text is about. `given` is the category that the citizen chose, trusted if the policy has it.

        Danger comes first: where neither the citizen nor the text names a category of danger, its own is taken.
        """
        return self.classify_read(Read.of(description, title), given)[0]

    def classify_read(self, read: Read, given: str | None = None) -> tuple[Classified, tuple[str, ...]]:
        """The same of a message that was made ready; and every category that a word of it speaks for, likeliest first."""
        heard = self._heard(read.whole)
        scores = self._scores(read)
        candidates = self._candidates(scores)
        category, confidence, by = self._decided(candidates, given)
        danger = heard.danger
        if danger is not None and danger.category is not None and not self._is_danger(category):
            category, by = danger.category, self._who_heard(heard)
        classified = Classified(
            category=category,
            confidence=confidence,
            candidates=candidates,
            danger=danger is not None,
            sensitive=heard.doubted or any(watch.sensitive for watch in heard.watches),
            decided_by=by,
            elsewhere=tuple(reason.code for reason in heard.reasons),
        )
        ranked = sorted(scores, key=lambda each: (-scores[each], each))
        return classified, tuple(self._categories[number].code for number in ranked)

    def heard(self, description: str, title: str = "") -> Heard:
        """The watches that the text sets off, and the reasons to decline that its words speak for."""
        return self._heard(Read.of(description, title).whole)

    def _heard(self, whole: Forms) -> Heard:
        """Words alone are enough where nothing was learnt. Where something was, examples can speak against them: then a
        person looks at it, but nobody is woken."""
        watches, reasons = self._watches.hear(whole), tuple(self._elsewhere.hear(whole))
        by_words = next((watch for watch in watches if watch.danger), None)
        if self.alarms is None:
            return Heard(tuple(watches), reasons, by_words, by_words is not None)
        alarm = self.alarms.alarm(whole, by_words=by_words is not None)
        learnt = self._watch.get(alarm.watch) if alarm is not None else None
        if alarm is not None and by_words is None and learnt is not None:
            watches.append(learnt)
        danger = (by_words or learnt) if alarm is not None else None
        return Heard(tuple(watches), reasons, danger, by_words is not None, alarm)

    def _who_heard(self, heard: Heard) -> str:
        assert heard.danger is not None
        if heard.by_words or self.alarms is None:
            return f"watch words {heard.danger.code}"
        return f"danger examples {self.alarms.version} {heard.danger.code}"

    def ranked(self, text: str) -> tuple[str, ...]:
        """Every category that a word of the text speaks for, the likeliest first."""
        scores = self._scores(Read.of(text))
        return tuple(self._categories[number].code for number in sorted(scores, key=lambda each: (-scores[each], each)))

    def _decided(self, candidates: Sequence[tuple[str, float]], given: str | None) -> tuple[str | None, float, str]:
        """Category, confidence, and who says so."""
        if given is not None and self._policy.has_category(given):
            return given, 1.0, CHOSEN
        category, confidence = candidates[0] if candidates else (None, 0.0)
        return category, confidence, self.name

    def _is_danger(self, category: str | None) -> bool:
        return category is not None and self._policy.category(category).urgency is Urgency.DANGER

    def _scores(self, read: Read) -> dict[int, float]:
        heard: dict[str, float] = defaultdict(float)
        speaks: dict[str, list[_Speaks]] = {}
        for text, weight in ((read.title, TITLE_WEIGHT), (read.description, 1.0)):
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
def _compiled(policy: Policy, alarms: Alarms | None) -> Classifier:
    return Classifier(policy, alarms)


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
