"""More time: before the due date, once, limited, granted by another person; the citizen hears why and until when (row 16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain import commands as c
from domain.deadlines import deadline
from domain.durations import Duration
from domain.request import Result, Solved, State
from tests.town import Request, Town, a_text, refused
from tests.workflows.test_adopting import kept
from tests.workflows.test_clocks import clocks


async def asked_for(request: Request, days: int = 3, reason: str | None = None) -> None:
    await request.act(c.RequestExtension(request.town.actor("lead"), days, reason or a_text()))


async def test_granted_extension_moves_the_date_and_tells_the_citizen_why(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    assert before.due_at is not None
    reason = a_text()
    await asked_for(request, 3, reason)
    assert (await request.snapshot()).due_at == before.due_at
    assert await request.notices("request_extension") == [("extension_wanted", "dispatcher")]
    await request.act(c.GrantExtension(town.actor("dispatcher")))
    after = await request.snapshot()
    assert after.due_at == deadline(town.policy.calendar, before.due_at, Duration.parse("3 working days"))
    event = await request.latest()
    assert (event.action, event.text, event.public) == ("grant_extension", reason, True)
    assert (event.facts["previous_due"], event.facts["due"]) == (before.due_at.isoformat(), after.due_at.isoformat())
    assert await request.notices("grant_extension") == [("extended", "citizen"), ("extension_granted", "handler")]


async def test_clocks_after_an_extension_run_as_if_it_had_been_so_from_the_start(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    assert before.due_at is not None
    await asked_for(request)
    await request.act(c.GrantExtension(town.actor("supervisor")))
    due_at = (await request.snapshot()).due_at
    assert due_at is not None
    await request.wait_until(before.due_at)
    assert "escalate1" not in await clocks(request)
    await request.wait_until(due_at - timedelta(minutes=1))
    assert [clock for clock in await clocks(request) if clock.startswith("remind")] == ["remind_half", "remind_eighty"]
    await request.wait_until(due_at)
    assert "escalate1" in await clocks(request)
    await request.wait_until(deadline(town.policy.calendar, due_at, Duration.parse("1 working day")))
    assert "escalate2" in await clocks(request)


async def test_refused_extension_leaves_the_date_and_says_why(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    before = await request.snapshot()
    await asked_for(request)
    reason = a_text()
    await request.act(c.RefuseExtension(town.actor("dispatcher"), reason))
    after = await request.snapshot()
    assert (after.due_at, after.extension_asked_by) == (before.due_at, None)
    assert (await request.latest()).text == reason
    assert await request.notices("refuse_extension") == [
        ("extension_refused", "handler"),
        ("extension_refused", "lead"),
    ]


async def test_more_than_the_promise_allows_is_refused_at_once(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    with refused("invalid"):
        await asked_for(request, 11)
    await asked_for(request, 10)


async def test_promise_without_extensions_knows_none(town: Town) -> None:
    request = await town.submit("There is a gas leak.")
    await request.accepted()
    with refused("invalid"):
        await asked_for(request, 1)


async def test_request_is_extended_once(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked_for(request)
    await request.act(c.GrantExtension(town.actor("dispatcher")))
    with refused("not_allowed"):
        await asked_for(request)


async def test_nothing_is_extended_once_it_is_due(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked_for(request)
    await request.wait_until((await request.snapshot()).due_at)
    with refused("not_allowed"):
        await request.act(c.GrantExtension(town.actor("dispatcher")))
    await request.act(c.RefuseExtension(town.actor("dispatcher"), a_text()))


async def test_handler_who_is_no_lead_asks_for_nothing(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    with refused("forbidden"):
        await request.act(c.RequestExtension(town.actor("handler"), 2, a_text()))


async def test_what_was_asked_for_lapses_with_the_assignment(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked_for(request)
    await request.act(c.Reassign(town.actor("dispatcher"), "health", a_text(), "clinic"))
    after = await request.snapshot()
    assert (after.state, after.extension_asked_by) == (State.ASSIGNED, None)


async def test_extension_and_pause_add_up(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked_for(request, 2)
    await request.act(c.GrantExtension(town.actor("dispatcher")))
    extended = await request.snapshot()
    await request.act(c.AskCitizen(town.actor("handler"), a_text()))
    await request.wait(timedelta(days=2))
    await request.hear("answered", text=a_text())
    after = await request.snapshot()
    assert extended.due_at is not None
    assert after.due_at is not None
    assert after.due_at >= extended.due_at


async def test_extension_of_the_first_promise_lengthens_not_that_of_the_rework(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await asked_for(request, 5)
    await request.act(c.GrantExtension(town.actor("dispatcher")))
    await request.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await request.rated(Solved.NO, 1)
    before = await request.snapshot()
    assert (before.state, before.rework_count) == (State.ASSIGNED, 1)
    policy = await kept(town, replace(town.policy, reminders=(0.4, 0.7)))
    await request.act(c.AdoptPolicy(town.actor("admin"), policy.version, a_text()))
    assert (await request.snapshot()).due_at == before.due_at
