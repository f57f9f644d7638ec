"""A trained model at work for one policy: what it decides, what stays with the policy's words, and what goes to a person.

The words still find danger and what a person must see first, and a citizen's own choice still counts. They also answer
where the model has nothing to say: to a text unlike all it was trained on, and about a category that it never met.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classifier.calibration import HIGHEST
from classifier.dangers import classifier_of
from classifier.model import Guess, Model, in_rows
from classifier.thresholds import NEVER
from classifier.vectors import Fields
from domain.classification import CANDIDATES, Read
from domain.classified import Classified
from domain.parts import Candidates, Likeliest, second_part
from domain.policy import Policy


@dataclass(frozen=True, slots=True)
class _Found:
    """What speaks for one department: its probability, the category, and the confidence that the model wants for it."""

    probability: float
    category: str
    needed: float


class TrainedClassifier:
    """Labels are categories or departments of the policy, by code; of others it knows only that it is none of ours."""

    def __init__(self, model: Model, policy: Policy) -> None:
        self._model = model
        self._policy = policy
        self._keywords = classifier_of(policy)
        self._name = f"model {model.version}"
        self._owners = [self._owner(label) for label in model.labels]
        self._names_departments = any(not policy.has_category(label) for label in model.labels)
        self._of_owner: dict[str, list[int]] = defaultdict(list)
        for number, owner in enumerate(self._owners):
            if owner is not None:
                self._of_owner[owner].append(number)

    def classify(self, description: str, title: str = "", given: str | None = None) -> Classified:
        """Confidence is the probability that the department is right; `needed` is what the model wants of it."""
        heard, ranked = self._keywords.classify_read(Read.of(description, title), given)
        guess = self._model.guess(title, description)
        if heard.danger or not self._model.is_familiar(guess) or self._is_news(heard):
            return heard
        found = self._found(guess, lambda: ranked)
        candidates = tuple((each.category, _rounded(each.probability)) for each in found[:CANDIDATES])
        second = self._second_matter(description, candidates)
        if not found or heard.decided_by != self._keywords.name:
            return replace(heard, candidates=candidates, second=second)
        best = found[0]
        return replace(
            heard,
            category=best.category,
            confidence=_rounded(best.probability),
            needed=self._needed(best, guess),
            candidates=candidates,
            second=second,
            decided_by=self._name,
        )

    def _second_matter(self, description: str, candidates: Candidates) -> str | None:
        """The category that a sentence is surely about, where that is one of the second likeliest department."""
        part = second_part(description, candidates, self._owner, self._likeliest)
        if part is None:
            return None
        guess = self._model.guess("", part)
        return self._found(guess, lambda: self._keywords.ranked(part))[0].category

    def _likeliest(self, sentences: Sequence[str]) -> list[Likeliest]:
        """The likeliest department of each; none where the model does not know its kind."""
        guesses = self._model.guesses([Fields.of("", sentence) for sentence in sentences])
        rows, owners = in_rows(guesses), list(self._of_owner)
        of_owners = np.stack([rows[:, self._of_owner[owner]].sum(axis=1) for owner in owners], axis=1)
        return [
            (owners[best], float(sure)) if self._model.is_familiar(guess) else (None, 0.0)
            for guess, best, sure in zip(guesses, of_owners.argmax(axis=1), of_owners.max(axis=1), strict=True)
        ]

    def _is_news(self, heard: Classified) -> bool:
        """The words are sure of a category of which the model never saw an example."""
        if heard.category is None or heard.confidence < self._policy.triage.threshold:
            return False
        return not {heard.category, self._policy.category(heard.category).department} & set(self._model.labels)

    def _found(self, guess: Guess, ranked_by_words: Callable[[], tuple[str, ...]]) -> list[_Found]:
        """The departments that the policy knows, likeliest first, each with its likeliest category."""
        ranked = ranked_by_words() if self._names_departments else ()
        found = [self._speaking_for(numbers, guess, ranked) for numbers in self._of_owner.values()]
        return sorted(filter(None, found), key=lambda each: (-each.probability, each.category))

    def _speaking_for(self, numbers: list[int], guess: Guess, ranked: tuple[str, ...]) -> _Found | None:
        probability = float(sum(guess.probabilities[number] for number in numbers))
        best = max(numbers, key=lambda number: (guess.probabilities[number], -number))
        label, needed = self._model.labels[best], self._model.thresholds[best]
        if self._policy.has_category(label):
            return _Found(probability, label, needed)
        theirs = [each.code for each in self._policy.categories if each.department == label]
        named = next((code for code in ranked if code in theirs), None)
        if named is not None:
            return _Found(probability, named, needed)
        # The department may be right, but no word says which of its promises holds: a person decides.
        return _Found(probability, theirs[0], NEVER) if theirs else None

    def _needed(self, best: _Found, guess: Guess) -> float:
        """A label that the policy no longer has may be likelier than all it has: then nothing is sure."""
        gone = (guess.probabilities[number] for number, owner in enumerate(self._owners) if owner is None)
        return NEVER if max(gone, default=0.0) > best.probability else best.needed

    def _owner(self, label: str) -> str | None:
        if self._policy.has_category(label):
            return self._policy.category(label).department or label
        return label if self._policy.has_department(label) else None


def _rounded(probability: float) -> float:
    return min(round(probability, 4), HIGHEST)
