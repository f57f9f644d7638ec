"""A new policy version changes nothing in flight by itself; an admin moves chosen requests, with a reason (row 33)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cli.adopting import Adopted, Mover, touched_by_calendar
from db import policies, texts
from domain import commands as c
from domain.calendar import Calendar, Holiday
from domain.deadlines import deadline, shift_by_pause
from domain.durations import Duration
from domain.policy import Policy, to_plain
from domain.request import State
from tests.city import a_service_level
from tests.town import KEYS, Request, Town, a_text, refused
from tests.workflows.test_clocks import clocks

WHY = "The holiday was published late."


async def kept(town: Town, policy: Policy) -> Policy:
    await policies.keep(town.pool, policy.version, "Small City", to_plain(policy), datetime.now(UTC))
    return policy


def with_more_time(policy: Policy) -> Policy:
    """Ten working days to resolve instead of five."""
    levels = (a_service_level(resolve=Duration.parse("10 working days")), *policy.service_levels[1:])
    return replace(policy, service_levels=levels)


async def with_a_holiday(town: Town, days: int = 2) -> Policy:
    """The next working days are free."""
    first = await town.day_in(1)
    holiday = Holiday(first, first + timedelta(days=days + 3), {"en": "a late holiday"})
    calendar: Calendar = town.policy.calendar
    return replace(town.policy, calendar=replace(calendar, holidays=(*calendar.holidays, holiday)))


@pytest.fixture
async def mover(town: Town) -> Mover:
    await kept(town, town.policy)
    return Mover(town.pool, KEYS, town.environment.client, "engineer", WHY)


async def moved(mover: Mover, version: str, *requests: Request) -> list[Adopted]:
    return [each async for each in mover.move([request.reference for request in requests], version)]


async def test_request_keeps_the_version_it_was_assigned_under_until_it_is_moved(town: Town, mover: Mover) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    policy = await kept(town, with_more_time(town.policy))
    assert (await request.snapshot()).policy_version == town.policy.version
    assert before.due_from is not None
    assert before.due_at is not None
    due_at = deadline(policy.calendar, before.due_from, Duration.parse("10 working days"))
    assert await moved(mover, policy.version, request) == [Adopted(request.reference, before.due_at, due_at)]
    after = await request.snapshot()
    assert (after.policy_version, after.due_at, after.state) == (policy.version, due_at, State.IN_PROGRESS)


async def test_move_is_an_event_with_its_reason_and_both_dates_and_tells_who_is_concerned(
    town: Town, mover: Mover
) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    policy = await kept(town, with_more_time(town.policy))
    await moved(mover, policy.version, request)
    event = await request.latest()
    assert (event.action, event.actor_kind, event.actor_id, event.public) == ("adopt_policy", "admin", "engineer", True)
    assert event.facts["previous_due"] == before.due_at.isoformat()  # type: ignore[union-attr]
    assert (event.facts["previous_version"], event.facts["version"]) == (town.policy.version, policy.version)
    assert event.text is not None
    assert WHY in (await texts.read_many(town.pool, KEYS, [UUID(event.text)])).values()
    assert await request.notices("adopt_policy") == [("due_changed", "handler"), ("due_moved", "citizen")]


async def test_clocks_after_the_move_are_those_of_the_new_version(town: Town, mover: Mover) -> None:
    request = await town.submit()
    await request.accepted()
    old = (await request.snapshot()).due_at
    policy = await kept(town, with_more_time(town.policy))
    await moved(mover, policy.version, request)
    await request.wait_until(old)
    assert "escalate1" not in await clocks(request)
    await request.wait_until((await request.snapshot()).due_at)
    assert [clock for clock in await clocks(request) if "contact" not in clock] == [
        "remind_half", "remind_eighty", "escalate1"
    ]  # fmt: skip


async def test_pauses_and_extensions_count_under_the_new_version_too(town: Town, mover: Mover) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    await request.wait(timedelta(days=2))
    await request.hear("answered", text=a_text())
    await request.act(c.RequestExtension(town.actor("lead"), 2, a_text()))
    await request.act(c.GrantExtension(town.actor("dispatcher")))
    before = await request.snapshot()
    policy = await kept(town, with_more_time(town.policy))
    await moved(mover, policy.version, request)
    after = await request.snapshot()
    at = {event.action: event.at for event in await request.events()}
    assert before.due_from is not None
    fixed = deadline(policy.calendar, before.due_from, Duration.parse("10 working days"))
    paused = shift_by_pause(policy.calendar, fixed, at["ask_citizen"], at["answer"])
    assert after.due_at == deadline(policy.calendar, paused, Duration.parse("2 working days"))


async def test_request_moved_in_a_pause_goes_on_standing_still(town: Town, mover: Mover) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    policy = await kept(town, with_more_time(town.policy))
    await moved(mover, policy.version, request)
    paused = await request.snapshot()
    assert paused.state is State.AWAITING_CITIZEN
    await request.wait(timedelta(days=3))
    assert "remind_half" not in await clocks(request)
    await request.hear("answered", text=a_text())
    after = await request.snapshot()
    assert paused.due_at is not None
    assert after.due_at is not None
    assert after.due_at > paused.due_at
    await request.wait_until(after.due_at)
    assert "escalate1" in await clocks(request)


async def test_holiday_moves_what_it_touches_and_nothing_else(town: Town, mover: Mover) -> None:
    touched, over = await town.submit(), await town.submit()
    await over.hear("withdrawn")
    before = await touched.snapshot()
    active = await kept(town, await with_a_holiday(town))
    found = [each async for each in touched_by_calendar(town.pool, active)]
    references = {snapshot.reference for _, snapshot, _ in found}
    assert touched.reference in references
    assert over.reference not in references
    version, _, due_at = next(each for each in found if each[1].reference == touched.reference)
    assert before.due_at is not None
    assert due_at is not None
    assert due_at > before.due_at
    assert await moved(mover, version, touched) == [Adopted(touched.reference, before.due_at, due_at)]
    own = await policies.content_of(town.pool, version)
    assert own is not None
    assert own["service_levels"] == to_plain(town.policy)["service_levels"]
    again = [snapshot.reference async for _, snapshot, _ in touched_by_calendar(town.pool, active)]
    assert touched.reference not in again


async def test_what_cannot_be_moved_stays_and_says_why(town: Town, mover: Mover) -> None:
    triaged = await town.submit("Good morning to you all.")
    over = await town.submit()
    await over.hear("withdrawn")
    policy = await kept(town, with_more_time(town.policy))
    for request in (triaged, over):
        (adopted,) = await moved(mover, policy.version, request)
        assert adopted.stays
    fine = await town.submit()
    (adopted,) = await moved(mover, "no-such-version", fine)
    assert adopted.stays == "There is no policy version no-such-version."
    assert (await moved(mover, town.policy.version, fine))[0].stays == "it stands under this version already"


async def test_only_an_admin_moves_requests(town: Town, mover: Mover) -> None:
    request = await town.submit()
    for username in ("dispatcher", "supervisor", "lead"):
        with refused("forbidden"):
            await request.act(c.AdoptPolicy(town.actor(username), "v2", a_text()))


async def test_clocks_that_stand_still_in_a_pause_are_not_taken_for_rung(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    await request.wait(timedelta(days=6))
    policy = await kept(town, replace(town.policy, reminders=(0.5, 0.75)))
    await request.act(c.AdoptPolicy(town.actor("admin"), policy.version, a_text()))
    await request.hear("answered", text=a_text())
    await request.wait_until((await request.snapshot()).due_at)
    rung = [clock for clock in await clocks(request) if clock.startswith(("remind", "escalate"))]
    assert rung == ["remind_half", "remind_eighty", "escalate1"]
