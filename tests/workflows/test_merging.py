"""One matter, several reporters: the merged request follows its parent, its citizen hears and judges (row 31)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from domain import commands as c
from domain.request import Result, Solved, State
from tests.town import Request, Town, a_text, refused, until


async def merged(town: Town) -> tuple[Request, Request]:
    """A request and another about the same, which was merged into it."""
    parent, child = await town.submit(), await town.submit()
    await child.act(c.Merge(town.actor("dispatcher"), parent.reference))
    await until(lambda: has(parent, "joined"))
    return parent, child


async def has(request: Request, action: str) -> bool:
    return action in await request.actions()


def follows(child: Request, action: str) -> Callable[[], Awaitable[bool]]:
    async def heard() -> bool:
        return any(event.facts.get("parent_action") == action for event in await child.events())

    return heard


async def test_merged_request_names_its_parent_and_tells_its_reporter(town: Town) -> None:
    parent, child = await merged(town)
    snapshot = await child.snapshot()
    assert (snapshot.state, snapshot.parent, snapshot.department) == (State.MERGED, parent.reference, "housing")
    assert await child.notices("merge") == [("merged", "citizen")]
    assert (await parent.snapshot()).followers == 1
    assert await child.is_running()


async def test_reporter_of_a_merged_request_gets_the_notices_of_the_parent(town: Town) -> None:
    parent, child = await merged(town)
    await parent.accepted()
    await parent.act(c.Progress(town.actor("handler"), a_text(), public=True))
    await until(follows(child, "progress"))
    assert await child.notices("follow") == [("progress", "citizen")]
    await parent.act(c.Resolve(town.actor("handler"), Result.SOLVED, a_text()))
    await until(follows(child, "resolve"))
    assert await child.notices("follow") == [("resolved", "citizen")]
    assert (await child.snapshot()).parent_state is State.RESOLVED
    await child.settled()
    assert await child.unsent() == []


async def test_each_reporter_rates_separately(town: Town) -> None:
    parent, child = await merged(town)
    await child.hear("rated", solved=Solved.YES, satisfied=4)
    assert (await child.latest()).action == "not_applied"  # the parent is not answered yet
    await parent.resolved()
    await until(follows(child, "resolve"))
    await parent.rated(Solved.YES, 5)
    await until(follows(child, "rate"))
    assert await child.is_running()
    await child.hear("rated", solved=Solved.PARTLY, satisfied=2)
    mine, theirs = await child.snapshot(), await parent.snapshot()
    assert (mine.state, mine.solved, mine.satisfied) == (State.MERGED, Solved.PARTLY, 2)
    assert (theirs.solved, theirs.satisfied) == (Solved.YES, 5)


async def test_reporter_who_is_not_content_has_a_matter_of_their_own_again(town: Town) -> None:
    parent, child = await merged(town)
    await parent.resolved()
    await until(follows(child, "resolve"))
    await child.hear("rated", solved=Solved.NO, satisfied=1)
    snapshot = await child.snapshot()
    assert (snapshot.state, snapshot.parent) == (State.TRIAGE, None)
    await until(lambda: has(parent, "left"))
    assert (await parent.snapshot()).followers == 0
    assert await parent.state() is State.RESOLVED


async def test_unmerging_restores_a_matter_of_its_own(town: Town) -> None:
    parent, child = await merged(town)
    await child.act(c.Unmerge(town.actor("dispatcher"), a_text()))
    snapshot = await child.snapshot()
    assert (snapshot.state, snapshot.parent, snapshot.parent_state) == (State.TRIAGE, None, None)
    assert await child.notices("unmerge") == [("needs_triage", "dispatcher"), ("unmerged", "citizen")]
    await until(lambda: has(parent, "left"))
    await child.act(c.Assign(town.actor("dispatcher"), "housing", "street_light"))
    await parent.accepted()
    await parent.act(c.Progress(town.actor("handler"), a_text(), public=True))
    await child.settled()
    assert "follow" not in await child.actions()


async def test_followers_stand_alone_when_only_the_parents_citizen_gives_up(town: Town) -> None:
    parent, child = await merged(town)
    await parent.hear("withdrawn")
    await until(lambda: has(child, "unmerge"))
    assert await child.state() is State.TRIAGE


async def test_followers_share_the_end_of_a_declined_parent(town: Town) -> None:
    parent, child = await town.submit("Good morning to you all."), await town.submit("Good evening to you all.")
    await child.act(c.Merge(town.actor("dispatcher"), parent.reference))
    await until(lambda: has(parent, "joined"))
    await parent.act(c.Decline(town.actor("dispatcher"), "court"))
    await until(follows(child, "decline"))
    assert await child.notices("follow") == [("declined", "citizen")]
    assert (await child.snapshot()).closed_at is not None
    await until(child.is_over)


async def test_run_of_a_follower_ends_when_the_parent_cannot_be_reopened_any_more(town: Town) -> None:
    parent, child = await merged(town)
    await parent.resolved()
    await parent.rated()
    await until(follows(child, "rate"))
    await child.wait(timedelta(days=40))
    await until(child.is_over)


async def test_reporter_judges_again_when_the_request_is_merged_again(town: Town) -> None:
    parent, child = await merged(town)
    await parent.resolved()
    await until(follows(child, "resolve"))
    await child.hear("rated", solved=Solved.NO, satisfied=1)
    other = await town.submit()
    await other.accepted()
    await other.act(c.Resolve(town.actor("handler"), Result.NOT_SOLVED, a_text()))
    await child.act(c.Merge(town.actor("dispatcher"), other.reference))
    await other.act(c.Approve(town.actor("dispatcher")))
    await until(follows(child, "approve"))
    await child.rated(Solved.PARTLY, 3)
    assert (await child.snapshot()).solved is Solved.PARTLY


async def test_reporter_may_judge_after_a_message_that_came_too_late(town: Town) -> None:
    parent, child = await merged(town)
    await parent.resolved()
    await parent.rated()
    await until(follows(child, "rate"))
    await child.hear("supplemented", text=a_text())
    assert (await child.latest()).action == "not_applied"
    await child.rated(Solved.YES, 4)
    assert (await child.snapshot()).solved is Solved.YES
    await child.wait(timedelta(days=40))
    await until(child.is_over)


async def test_what_cannot_be_merged_is_refused_with_the_reason(town: Town) -> None:
    parent, child = await merged(town)
    dispatcher = town.actor("dispatcher")
    third, over = await town.submit(), await town.submit()
    await over.hear("withdrawn")
    for wrong in (third.reference, "2611-0000-00010", "nonsense", child.reference, over.reference):
        with refused("invalid"):
            await third.act(c.Merge(dispatcher, wrong))
    assert await third.state() is State.ASSIGNED
    with refused("not_allowed"):  # others follow it
        await parent.act(c.Merge(dispatcher, third.reference))
    with refused("forbidden"):
        await third.act(c.Merge(town.actor("handler"), parent.reference))


async def test_confidential_requests_stay_apart(town: Town) -> None:
    parent, secret = await town.submit(), await town.submit(confidential=True)
    with refused("invalid"):
        await secret.act(c.Merge(town.actor("dispatcher"), parent.reference))
