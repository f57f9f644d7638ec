"""What a citizen does while the request is open: rows 22, 23 and 24 of PROCESS.md."""

from __future__ import annotations

from datetime import timedelta

from domain import commands as c
from domain.request import State
from tests.town import Town, a_text, until

A_DAY = timedelta(days=1, minutes=1)


async def test_urging_is_heard_higher_each_time(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    heard = []
    for _ in range(4):
        await request.hear("urged")
        heard.append(await request.notices("urge"))
        await request.wait(A_DAY)
    assert heard == [[("urged", "handler")], [("urged", "lead")], [("urged", "supervisor")], [("urged", "supervisor")]]
    assert (await request.snapshot()).urge_count == 4


async def test_second_urging_on_the_same_day_is_not_applied_and_the_citizen_is_told(town: Town) -> None:
    request = await town.submit()
    await request.hear("urged")
    text = a_text()
    await request.hear("urged", text=text)
    event = await request.latest()
    assert (event.action, event.public, event.text) == ("not_applied", True, text)
    assert event.facts == {"action": "urge", "reason": "not_allowed"}
    assert await request.notices("not_applied") == [("answer_not_applied", "citizen")]
    assert (await request.snapshot()).urge_count == 1


async def test_urging_in_triage_reaches_the_dispatchers(town: Town) -> None:
    request = await town.submit("Good morning to you all.")
    await request.hear("urged")
    assert await request.notices("urge") == [("urged", "dispatcher")]


async def test_supplement_reaches_whoever_has_the_request(town: Town) -> None:
    request = await town.submit("Good morning to you all.")
    reached = []
    await request.hear("supplemented", text=a_text())
    reached.append(await request.notices("supplement"))
    await request.act(c.Assign(town.actor("dispatcher"), "housing", "street_light"))
    await request.hear("supplemented", text=a_text())
    reached.append(await request.notices("supplement"))
    await request.accepted("lead")
    text = a_text()
    await request.hear("supplemented", text=text)
    reached.append(await request.notices("supplement"))
    assert reached == [[("supplemented", to)] for to in ("dispatcher", "handler", "lead")]
    event = await request.latest()
    assert (event.text, event.public, event.state) == (text, True, State.IN_PROGRESS)


async def test_supplement_leaves_every_clock_running(town: Town) -> None:
    request = await town.submit()
    before = await request.history()
    await request.hear("supplemented", text=a_text())
    added = (await request.history())[len(before) :]
    assert "TIMER_CANCELED" not in added
    assert "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES" not in added


async def test_withdrawn_request_ends_at_once_and_the_department_hears_of_it(town: Town) -> None:
    request = await town.submit()
    await request.accepted()
    await request.hear("withdrawn")
    assert await request.state() is State.WITHDRAWN
    assert await request.notices("withdraw") == [("withdrawn", "handler")]
    await until(request.is_over)


async def test_withdrawal_in_triage_bothers_nobody(town: Town) -> None:
    request = await town.submit("Good morning to you all.")
    await request.hear("withdrawn")
    assert await request.state() is State.WITHDRAWN
    assert await request.notices("withdraw") == []


async def test_danger_cannot_be_withdrawn(town: Town) -> None:
    request = await town.submit("There is a gas leak!")
    await request.hear("withdrawn")
    assert await request.state() is State.ASSIGNED
    assert (await request.latest()).facts == {"action": "withdraw", "reason": "not_allowed"}


async def test_answered_request_cannot_be_withdrawn(town: Town) -> None:
    request = await town.submit()
    await request.resolved()
    await request.hear("withdrawn")
    assert await request.state() is State.RESOLVED
