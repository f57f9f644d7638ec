"""Learning by schedule and by command, with the real worker and a real Temporal; what a person sees of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

import db.policies
from activities.learning import LearningActivities, Retraining
from classifier.files import from_bytes
from classifier.ngrams import Units, numbers_of
from db import decided, models
from db.comparisons import Outcome
from db.pool import Pool
from db.sealing import KeyRing
from domain.policy import to_plain
from supervision.temporal import TemporalServer
from tests.decided import a_decided_request, a_way, ran_through, triaged
from tests.histories import readable
from tests.integration.test_api_actions import a_worker, eventually
from tests.interface import KEYS as KEYS_TEXT
from tests.learning import CITY, HOUR, NUMBER, TERMS, History
from tests.notices import OnePolicy
from tests.rows import SUNDAY_NOON
from workflows.connection import connect
from workflows.learning import LearningWorkflow
from workflows.schedules import LEARNING

PROJECT = Path(__file__).parents[2]


@pytest.fixture
async def temporal(temporal_server: TemporalServer) -> Client:
    return await connect(temporal_server.address, KeyRing.from_text(KEYS_TEXT))


@pytest.fixture
def history(pool: Pool, keys: KeyRing) -> History:
    return History(pool, keys)


async def test_run_carries_codes_and_counts_and_the_model_no_numbers(
    pool: Pool, keys: KeyRing, history: History, temporal: Client
) -> None:
    await history.goes_on(140)
    activities = LearningActivities(pool, keys, OnePolicy(CITY), terms=TERMS, now=lambda: history.now)
    queue = f"learning-{uuid4()}"
    async with Worker(temporal, task_queue=queue, workflows=[LearningWorkflow], activities=[activities.retrain]):
        handle = await temporal.start_workflow(LearningWorkflow.run, Retraining(), id=queue, task_queue=queue)
        learnt = await handle.result()
        told = readable(await handle.fetch_history(), KeyRing.from_text(KEYS_TEXT))
    assert learnt.outcome == Outcome.ACTIVATED
    assert learnt.candidate is not None
    assert NUMBER not in told
    assert "lamp" not in told
    stored = await models.content_of(pool, learnt.candidate)
    assert stored is not None
    runs = set(from_bytes(stored, "it").lines.vocabulary.numbers.tolist())
    assert runs & set(numbers_of(Units.of("lamp"), "body").tolist())
    # That there was a long number is known of every message, and of no message which one.
    assert numbers_of(Units.of(NUMBER), "body").tolist() == numbers_of(Units.of("10000000"), "body").tolist()


@asynccontextmanager
async def a_city_at_work(
    pool: Pool, database_url: str, temporal_server: TemporalServer
) -> AsyncIterator[dict[str, str]]:
    """With its worker, as in production; gives the environment of its commands."""
    await db.policies.activate(pool, CITY.version, "Small City", to_plain(CITY), SUNDAY_NOON)
    # Its relay would have taken the requests for new ones.
    await pool.execute("update inbox set delivered_at = now(), outcome = 'delivered'")
    async with a_worker(database_url, temporal_server.address):
        yield {
            **os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": KEYS_TEXT,
            "TEMPORAL_ADDRESS": temporal_server.address,
        }  # fmt: skip


async def classifier(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "classifier", *arguments, cwd=PROJECT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, output.decode()


async def has_schedule(temporal: Client) -> bool:
    return LEARNING in {each.id async for each in await temporal.list_schedules()}


async def test_worker_keeps_the_schedule_and_a_command_learns_compares_and_goes_back(
    pool: Pool, history: History, temporal: Client, database_url: str, temporal_server: TemporalServer
) -> None:
    history.now = datetime.now(UTC) - 330 * HOUR
    await history.goes_on(310)
    async with a_city_at_work(pool, database_url, temporal_server) as environment:
        await eventually(lambda: has_schedule(temporal))
        code, said = await classifier(environment, "retrain")
        version = await models.active_version(pool)
        assert (code, version is not None) == (0, True), said
        assert said.splitlines()[1].startswith(
            f"Model {version}, from 210 decisions, decides from now on: compared with the words"
        )
        assert "on 100 recent decisions" in said

        code, said = await classifier(environment, "comparisons", "--classes")
        assert code == 0, said
        assert f"model {version} beside the words of the policy: took over" in said
        assert "learnt from 210 decisions (310 ran_through), compared on 100 others" in said
        assert "won, 0 lost" in said

        code, said = await classifier(environment, "back", "--reason", "the wages")
        assert (code, said.splitlines()[0]) == (0, "The words of the policy decide from now on.")
        code, said = await classifier(environment, "comparisons")
        assert "the words of the policy, gone back to, by " in said
        assert ": the wages" in said

        code, said = await classifier(environment, "retrain")
        assert (code, said.splitlines()[1]) == (
            0,
            "There are 310 decisions to learn from and 0 new ones to compare on; it takes 200 and 100. "
            "What decides now goes on deciding.",
        )
    assert await models.active_version(pool) is None


async def test_schedule_is_at_night_once_a_week(
    temporal: Client, pool: Pool, database_url: str, temporal_server: TemporalServer
) -> None:
    async with a_city_at_work(pool, database_url, temporal_server):
        await eventually(lambda: has_schedule(temporal))
        first, second = (await temporal.get_schedule_handle(LEARNING).describe()).info.next_action_times[:2]
    assert (first.astimezone(UTC).isoweekday(), first.astimezone(UTC).hour) == (6, 18)  # Sunday 02:10 in Shanghai
    assert second - first == timedelta(weeks=1)


async def test_command_says_that_nobody_has_made_the_schedule(
    database_url: str, temporal_server: TemporalServer
) -> None:
    environment = {
        **os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": KEYS_TEXT, "TEMPORAL_NAMESPACE": "temporal-system",
        "TEMPORAL_ADDRESS": temporal_server.address,
    }  # fmt: skip
    code, said = await classifier(environment, "retrain")
    assert (code, said) == (
        1,
        "Error: There is no schedule for learning yet. A worker makes it when it runs and a policy is loaded.\n",
    )


# How often each was right.


async def test_list_tells_what_each_version_decided_and_how_much_was_corrected(
    pool: Pool, keys: KeyRing, database_url: str
) -> None:
    now = datetime.now(UTC)
    await models.keep(pool, "abc", b"", {"messages": 9, "labels": ["a"], "macro_f1": 0.9, "precision": 0.97}, now)

    async def a_request(by: str, days_ago: int, *then: tuple[str, str, dict[str, str]]) -> None:
        at = now - timedelta(days=days_ago)
        way = (*ran_through("taxi", by=by, at=at), *a_way(*then, at=at + HOUR))
        await a_decided_request(pool, keys, "", "a taxi", "taxi", at=at, steps=way)

    for _ in range(3):
        await a_request("model abc", 2)
    await a_request("model abc", 2, ("reclassify", "in_progress", {"category": "garbage"}))
    await a_request("model abc", 40, ("return_request", "triage", {}))
    await a_request("keywords v1", 2, ("return_request", "triage", {}), ("assign", "assigned", {}))
    await a_request("keywords v2", 2, ("resolve", "resolved", {}))
    unsure = {"decided_by": "model abc", "reason": "low_confidence"}
    left = (*a_way(("to_triage", "triage", unsure), at=now - HOUR), *triaged("taxi", at=now)[1:])
    await a_decided_request(pool, keys, "", "a taxi", "taxi", at=now - HOUR, steps=left)

    found = {each.decided_by: each[1:] for each in await decided.spoken(pool, now - timedelta(days=30))}
    assert found == {"model abc": (4, 1, 1), "keywords v1": (1, 1, 0), "keywords v2": (1, 0, 0)}
    code, said = await classifier({**os.environ, "DATABASE_URL": database_url, "HUISHENG_KEYS": KEYS_TEXT}, "list")
    assert code == 0, said
    lines = said.splitlines()
    assert lines[0].startswith("abc ")
    assert lines[1].strip() == "last 30 days: decided 4 alone, 1 of them corrected (25.0%), left 1 to a person"
    assert lines[3].strip() == "last 30 days: decided 2 alone, 1 of them corrected (50.0%), left 0 to a person"
