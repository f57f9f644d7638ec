"""A city whose decided requests teach a classifier: their history, a retraining by hand, and what the model in force says."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from temporalio.testing import ActivityEnvironment

from activities.learning import LearningActivities, Learnt, Retraining
from activities.models import ModelStore
from classifier.held_out import Terms
from db import models
from db.pool import Pool
from db.sealing import KeyRing
from domain.lessons import Step
from tests.city import a_category, a_city, both
from tests.decided import a_decided_request, ran_through
from tests.messages import MATTERS
from tests.notices import OnePolicy
from tests.rows import SUNDAY_NOON

PLACES = {"street_light": "housing", "garbage": "health", "wage_arrears": "north_street", "taxi": "city"}
CITY = a_city(
    categories=tuple(
        # Under a name that nobody says, so that the words of the policy know nothing.
        a_category(code, department, name=both(f"xyzzy {code}"), keywords={})
        for code, department in PLACES.items()
    )
)
OWNER = {each.code: each.department or "" for each in CITY.categories}
TERMS = Terms(least_learnt=60, least_held_out=25, most_held_out=400, share_held_out=0.25)
PUMP = "the pump in the cellar hums"
NUMBER = "13812345678"
HOUR = timedelta(hours=1)


class History:
    """Decided requests, one an hour; no two of their texts are alike."""

    def __init__(self, pool: Pool, keys: KeyRing, begins: datetime = SUNDAY_NOON) -> None:
        self._pool, self._keys, self._chance = pool, keys, random.Random(7)
        self.now = begins

    def said(self, phrase: str) -> str:
        """The phrase among words that nobody else uses."""
        letters = "abcdefghijklmnopqrstuvwxyz"
        rest = ["".join(self._chance.choices(letters, k=7)) for _ in range(12)]
        return f"{phrase}, {' '.join(rest)}, my number is {NUMBER}"

    async def goes_on(
        self, count: int, category_of: Callable[[str], str] = str, way: Callable[..., Sequence[Step]] = ran_through
    ) -> None:
        """So many requests of the four matters in turn, sent where `category_of` their matter says."""
        for number in range(count):
            matter = list(MATTERS)[number % len(MATTERS)]
            await self.decide(self._chance.choice(MATTERS[matter]["en"]), category_of(matter), way)

    async def decide(self, phrase: str, category: str, way: Callable[..., Sequence[Step]] = ran_through) -> None:
        self.now += HOUR
        steps = way(category, OWNER[category], at=self.now)
        await a_decided_request(self._pool, self._keys, "", self.said(phrase), category, at=self.now, steps=steps)


async def retrained(pool: Pool, keys: KeyRing, now: datetime, run: str | None = None) -> Learnt:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_run_id=run or str(uuid4()))
    activities = LearningActivities(pool, keys, OnePolicy(CITY), terms=TERMS, now=lambda: now)
    learnt: Learnt = await environment.run(activities.retrain, Retraining())
    return learnt


async def answer(pool: Pool, text: str) -> tuple[str | None, str]:
    """What the model in force says, through the store of a worker."""
    store = ModelStore(lambda: models.active_version(pool), lambda version: models.content_of(pool, version))
    found = (await store.classifier_of(CITY)).classify(text)
    return found.category, found.decided_by
