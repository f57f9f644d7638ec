"""Finding out what a request is about. How it is done is behind a port: the policy's words now, a trained classifier too."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from temporalio import activity

from classifier.dangers import classifier_of
from db import requests
from db.pool import Database
from db.sealing import KeyRing
from domain.classified import Classified
from domain.policy import Policy
from domain.second_opinion import Message
from policies.store import PolicyStore


class Classifies(Protocol):
    """The port: from what a citizen wrote to what it is about, with an honest confidence."""

    def classify(self, description: str, title: str = "", given: str | None = None) -> Classified:
        """`given` is the category that the citizen chose; it is believed."""
        ...


class ClassifierOf(Protocol):
    """Which classifier serves a policy; it is asked for every request."""

    async def __call__(self, policy: Policy) -> Classifies: ...


async def by_words(policy: Policy) -> Classifies:
    """The classifier of a city that has no trained one."""
    return classifier_of(policy)


class SecondOpinions(Protocol):
    """Whom to ask about what the classifier is unsure of; it answers in time and never raises."""

    async def on(self, policy: Policy, classified: Classified, message: Message) -> Classified: ...


class ClassificationActivities:
    """Reads the sealed text in the database, so that no text enters a workflow's history."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        policies: PolicyStore,
        classifier_of: ClassifierOf = by_words,
        second_opinions: SecondOpinions | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._policies = policies
        self._classifier_of = classifier_of
        self._second_opinions = second_opinions

    @activity.defn
    async def classify_request(self, request_id: str) -> Classified:
        """A request that has been erased in the meantime is about nothing: a person will see it."""
        stored = await requests.by_id(self._database, UUID(request_id))
        return await self.classify(stored, requests.told(self._keys, stored) if stored is not None else None)

    async def classify(self, stored: requests.StoredRequest | None, told: requests.Told | None) -> Classified:
        """The same of a request that has been read."""
        if stored is None or told is None or stored.erased_at is not None:
            return Classified(None, 0.0, decided_by="erased")
        policy = await self._policies.active()
        classifier = await self._classifier_of(policy)
        classified = classifier.classify(told.description, told.title or "", stored.given_category)
        if self._second_opinions is None or stored.confidential:
            return classified
        known = (told.contact.name,) if told.contact.name else ()
        message = Message(told.title or "", told.description, stored.language, known)
        return await self._second_opinions.on(policy, classified, message)
