"""What a request does when it hears of another run: a follower, its parent, or a part of its own work."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.followed import Followed, Follower
    from domain.helped import CoClock
    from domain.helping import co_clock_rang
    from domain.merging import LEAVES_ALONE, follow, joined, unmerge
    from domain.request import SYSTEM, Actor, Alarm, AlarmKind, State
    from workflows.steps import Behind, Steps


async def count_follower(steps: Steps, follower: Follower | None) -> None:
    """A request was merged into this one, or has left it."""
    course = steps.course
    if follower is None or follower.leaves is not (follower.reference in course.followers):
        return
    others = tuple(each for each in course.followers if each != follower.reference)
    before = course.followers
    course.followers = others if follower.leaves else (*others, follower.reference)
    change = -1 if follower.leaves else 1
    try:
        await steps.record(joined(course.snapshot, course.now(), follower.reference, change))
    except Behind:
        course.followers = before
        raise
    if not follower.leaves:
        await steps.other_runs.greet(follower.reference)


async def follow_parent(steps: Steps, followed: Followed | None) -> None:
    """The parent has moved: so does this request, or it is a matter of its own again."""
    course, snapshot = steps.course, steps.course.snapshot
    if followed is None or snapshot.state is not State.MERGED or followed.sequence <= course.parent_sequence:
        return
    if followed.state in LEAVES_ALONE:
        await stand_alone(steps, SYSTEM)
    elif followed.notices or followed.state is not snapshot.parent_state:
        await steps.record(follow(snapshot, followed, course.now()))
        if followed.until is not None:
            course.ring_at(Alarm(followed.until, AlarmKind.END_REOPENING))
    course.parent_sequence = max(course.parent_sequence, followed.sequence)


async def stand_alone(steps: Steps, by: Actor) -> None:
    """A merged request is a matter of its own again: a person decides where it goes."""
    plan = await steps.plan_triage()
    await steps.record(unmerge(steps.course.snapshot, by, steps.course.now(), plan), planned=plan)


async def note_part(steps: Steps, clock: CoClock | None) -> None:
    """A clock of a co-handler has run out."""
    turn = co_clock_rang(steps.course.snapshot, clock, steps.course.now()) if clock else None
    if turn is not None:
        await steps.record(turn)
