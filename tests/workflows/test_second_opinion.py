"""A request that the classifier is unsure of, with a language model asked on the way: from the receipt to where it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from activities.providers.console import ConsoleProvider
from activities.second_opinion import SecondOpinion
from domain.request import State
from settings import ModelEndpoint
from tests.city import a_city
from tests.conftest import FreshDatabase
from tests.language_model import LanguageModel, a_language_model
from tests.skipping import a_skipping_server
from tests.town import KEYS, Town
from tests.town_hall import a_town, a_worker

UNSURE = "Between the clinic and the street light there is litter everywhere."


@asynccontextmanager
async def a_town_that_asks(
    database_url: str, *, assigns: bool, **answers: Any
) -> AsyncIterator[tuple[Town, LanguageModel]]:
    """On a server of its own: the town of the session takes work from the same queue."""
    policy = a_city(triage=replace(a_city().triage, second_opinion_assigns=assigns))
    async with (
        a_skipping_server() as environment,
        a_language_model(**answers) as model,
        a_town(environment, database_url, policy=policy, with_workers=False) as town,
    ):
        opinion = SecondOpinion(town.pool, ModelEndpoint(model.url, "small-1", "", 2.0, 100_000))
        provider = ConsoleProvider(town.pool, KEYS)
        async with a_worker(environment, town.pool, policy, provider, second_opinions=opinion):
            yield town, model
        await opinion.close()


@pytest.mark.parametrize(
    ("label", "assigns", "answers", "state", "said"),
    [
        ("it proposes", False, {"content": '{"category": "litter"}'}, State.TRIAGE, "proposes"),
        ("it decides", True, {"content": '{"category": "litter"}'}, State.ASSIGNED, "proposes"),
        ("it is away", True, {"status": 503}, State.TRIAGE, "refused"),
        ("it hangs", True, {"hangs": True}, State.TRIAGE, "timed_out"),
    ],
)
async def test_request_goes_its_way_with_what_the_model_said_or_without(
    fresh_database: FreshDatabase, label: str, assigns: bool, answers: dict[str, Any], state: State, said: str
) -> None:
    async with a_town_that_asks(fresh_database(), assigns=assigns, **answers) as (town, model):
        request = await town.submit(UNSURE)
        after, facts = await request.snapshot(), (await request.latest()).facts
    assert len(model.asked) == 1
    assert (after.state, facts["second_opinion"]) == (state, said)
    assert after.department == ("north_street" if state is State.ASSIGNED else None)
    assert facts["decided_by"].startswith("second opinion" if state is State.ASSIGNED else "keywords")
