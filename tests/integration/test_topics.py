"""Hot topics on a real database: found by the schedule, kept sealed, told to supervisors once, and gone with their requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.notices import NoticeActivities
from activities.providers.console import ConsoleProvider
from activities.topics import Look, Looked, TopicActivities
from cli.topics import topics
from db import erasure, outbox, views
from db.sealing import KeyRing
from domain.request import Role
from domain.retention import Because
from supervision.temporal import TemporalServer
from tests.city import a_city
from tests.histories import readable
from tests.interface import KEYS, Interface, Submitted, an_interface, problem
from tests.notices import PUBLIC_URL, OnePolicy
from tests.unit.test_topics import OTHERS, PLANT
from workflows.connection import connect
from workflows.contract import NOTICES_QUEUE
from workflows.schedules import TOPICS, put_schedules
from workflows.topics import TopicsWorkflow

DAY = timedelta(days=1)


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    """A city that heard of something else on each of the last thirty days."""
    async with an_interface(database_url, policy=a_city()) as running:
        await running.employ("supervisor", Role.SUPERVISOR, phone="+8613900000001")
        await running.employ("dispatcher", Role.DISPATCHER, phone="+8613900000002")
        running.clock.pass_(-30 * DAY)
        for number in range(30):
            title, text = OTHERS[number % len(OTHERS)]
            await said(running, title, f"{text} {number}", 100 + number)
            running.clock.pass_(DAY)
        yield running


async def said(interface: Interface, title: str, text: str, number: int, **more: Any) -> Submitted:
    return await interface.submit(title=title, description=text, contact={"phone": f"138000{number:05d}"}, **more)


async def many_say(interface: Interface, **more: Any) -> list[Submitted]:
    return [await said(interface, title, text, number, **more) for number, (title, text) in enumerate(PLANT)]


def activities(interface: Interface) -> TopicActivities:
    return TopicActivities(interface.services.pool, interface.services.keys, now=interface.clock)


async def look(interface: Interface) -> Looked:
    interface.clock.pass_(timedelta(minutes=1))
    return await ActivityEnvironment().run(activities(interface).find_topics, Look())


async def shown(interface: Interface) -> list[dict[str, Any]]:
    answer = await interface.as_staff("supervisor", "/topics")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["topics"]
    return found


async def owed(interface: Interface) -> list[str]:
    rows = await interface.services.pool.fetch(
        "select username from notices left join staff on recipient = 'staff:' || staff.id where kind = 'topic_spike'"
    )
    return [row["username"] for row in rows]


async def test_supervisor_is_shown_the_topic_and_the_requests_behind_it(interface: Interface) -> None:
    requests = await many_say(interface)
    await look(interface)
    (topic,) = await shown(interface)
    assert "搅拌站" in topic["name"]
    assert (topic["authors"], topic["lately"], topic["before"], topic["spike"]) == (6, 6, 0, True)
    answer = await interface.as_staff("supervisor", f"/topics/{topic['id']}")
    assert {row["reference"] for row in answer.json()["requests"]} == {each.reference for each in requests}


@pytest.mark.parametrize("address", ["/topics", "/topics/01a21000-0000-7000-8000-000000000000"])
async def test_topics_are_for_supervisors(interface: Interface, address: str) -> None:
    problem(await interface.as_staff("dispatcher", address), 403, "forbidden")
    problem(await interface.http.get(f"/api/v1/staff{address}"), 401, "unauthorized")
    assert (await interface.as_staff("supervisor", address)).status_code in (200, 404)


async def test_spike_is_owed_to_supervisors_once_and_the_topic_keeps_its_identity(interface: Interface) -> None:
    await many_say(interface)
    assert len((await look(interface)).carriers) == 1
    (first,) = await shown(interface)
    await said(interface, *PLANT[0], 77)
    assert (await look(interface)).carriers == []
    (second,) = await shown(interface)
    assert (second["id"], second["warned_at"], second["authors"]) == (first["id"], first["warned_at"], 7)
    assert await owed(interface) == ["supervisor"]


async def test_city_without_supervisors_has_the_notice_on_record(interface: Interface) -> None:
    await interface.services.pool.execute("update staff set active = false where username = 'supervisor'")
    await many_say(interface)
    await look(interface)
    row = await interface.row("select recipient, state from notices where kind = 'topic_spike'")
    assert tuple(row) == ("supervisors", "no_address")


async def test_topic_without_growth_is_shown_and_warned_of_to_nobody(interface: Interface) -> None:
    interface.clock.pass_(-20 * DAY)
    await many_say(interface)
    interface.clock.pass_(20 * DAY)
    assert (await look(interface)).carriers == []
    (topic,) = await shown(interface)
    assert (topic["spike"], topic["warned_at"]) == (False, None)
    assert await owed(interface) == []


async def test_confidential_requests_make_no_topic(interface: Interface) -> None:
    await many_say(interface, confidential=True)
    await look(interface)
    assert await shown(interface) == []


async def test_one_citizen_who_writes_six_times_makes_no_topic(interface: Interface) -> None:
    for title, text in PLANT:
        await said(interface, title, text, 1)
    await look(interface)
    assert await shown(interface) == []


async def test_name_is_sealed_and_nothing_of_it_stands_in_the_notice(interface: Interface) -> None:
    await many_say(interface)
    await look(interface)
    (topic,) = await shown(interface)
    row = await interface.row("select * from topics")
    assert topic["name"].encode() not in row["words_sealed"]
    facts = (await interface.row("select facts from notices where kind = 'topic_spike'"))["facts"]
    assert facts == {"people": "6", "days": "7"}


async def test_erased_request_stands_behind_no_topic_and_names_none(interface: Interface) -> None:
    await many_say(interface)
    await look(interface)
    (topic,) = await shown(interface)
    pool = interface.services.pool
    row = await interface.row("select named_after from topics")
    await pool.execute("update snapshots set state = 'withdrawn' where request_id = $1", row["named_after"])
    await pool.execute("update notices set state = 'sent'")
    await pool.execute("update inbox set delivered_at = now()")
    snapshot = await views.snapshot(pool, row["named_after"])
    assert await erasure.erase(pool, snapshot, Because.ADMIN, interface.clock()) is None
    (left,) = await shown(interface)
    assert (left["id"], left["name"], left["places"]) == (topic["id"], None, [])
    behind = (await interface.as_staff("supervisor", f"/topics/{topic['id']}")).json()["requests"]
    assert len(behind) == 5
    await look(interface)
    (anew,) = await shown(interface)
    assert anew["id"] == topic["id"]
    assert anew["name"] is not None


async def test_topic_that_is_over_is_forgotten(interface: Interface) -> None:
    await many_say(interface)
    await look(interface)
    interface.clock.pass_(36 * DAY)
    await look(interface)
    assert await shown(interface) == []
    assert await interface.services.pool.fetchval("select count(*) from topics") == 0


async def test_run_sends_the_warning_and_carries_nothing_that_was_written(
    interface: Interface, temporal_server: TemporalServer
) -> None:
    pool, keys = interface.services.pool, interface.services.keys
    await many_say(interface)
    client = await connect(temporal_server.address, KeyRing.from_text(KEYS))
    notices = NoticeActivities(pool, keys, OnePolicy(a_city()), ConsoleProvider(pool, keys), PUBLIC_URL)
    queue = f"topics-{uuid4()}"
    async with (
        Worker(client, task_queue=queue, workflows=[TopicsWorkflow], activities=[activities(interface).find_topics]),
        Worker(client, task_queue=NOTICES_QUEUE, activities=[notices.send_notices]),
    ):
        handle = await client.start_workflow(TopicsWorkflow.run, Look(), id=queue, task_queue=queue)
        assert await asyncio.wait_for(handle.result(), 180) == 1
        told = readable(await handle.fetch_history(), KeyRing.from_text(KEYS))
    assert not any(word in told for word in ("搅拌站", "13800000"))
    assert [
        (line.kind, line.to) for line in await outbox.latest(pool, keys, most=100) if line.kind == "topic_spike"
    ] == [("topic_spike", "+8613900000001")]


async def test_schedule_looks_by_day(temporal_server: TemporalServer) -> None:
    client = await connect(temporal_server.address, KeyRing.from_text(KEYS))
    await put_schedules(client, "Asia/Shanghai")
    described = await client.get_schedule_handle(TOPICS).describe()
    (calendar,) = described.schedule.spec.calendars
    assert (calendar.hour[0].start, calendar.hour[0].end, calendar.hour[0].step) == (8, 20, 4)


async def test_command_says_the_topics_of_the_city_and_the_look_is_on_record(
    interface: Interface, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    interface.clock.now = datetime.now(UTC) - DAY
    requests = await many_say(interface)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("HUISHENG_KEYS", KEYS)
    result = await asyncio.to_thread(CliRunner().invoke, topics, ["--json", "--days", "10"])
    assert result.exit_code == 0, result.output
    (topic,) = json.loads(result.output)["topics"]
    assert set(topic["messages"]) == {each.reference for each in requests}
    assert await interface.services.pool.fetchval("select count(*) from looks where who like 'machine:%'") == 1
