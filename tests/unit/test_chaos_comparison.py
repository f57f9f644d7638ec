"""The comparison at the end of a trial: a world in which everything is right has no difference, and each damage has its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chaos.comparison import compare
from chaos.found import Check, Found
from chaos.gateway import Taken
from chaos.ledger import Acted, Heard, Ledger, Line, Sent
from chaos.load import Played
from chaos.runs import Run
from db.proof import Due, Happening, Message
from domain.policy import Policy
from domain.rebuilt import Rebuilt, WatchedPart
from domain.request import Alarm, AlarmKind, CoHandler, CoState, Outcome, Snapshot, State
from tests.city import a_city

REFERENCE = "2611-4829-13704"
BEGAN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CITY: Policy = a_city()
ATTEMPTS = ("1 receipt", "2 assigned", "2 new_task", "4 supplemented")


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def an_alarm(kind: AlarmKind, minutes: float) -> Alarm:
    return Alarm(at(minutes), kind)


CLOCKS = (an_alarm(AlarmKind.REMIND_EIGHTY, 90), an_alarm(AlarmKind.HEARTBEAT, 500))


@dataclass
class World:
    ledger: Ledger
    played: Played
    found: Found

    def broken(self) -> dict[str, list[str]]:
        checks: list[Check] = compare(self.ledger, self.played, self.found)
        return {check.rule: check.differences for check in checks if check.differences}

    def change(self, **parts: Any) -> None:
        self.found = replace(self.found, **parts)


def an_event(sequence: int, action: str, before: str | None, state: str, **changes: Any) -> Happening:
    event = Happening(
        REFERENCE, sequence, at(sequence), action, "system", "", None, before, state, public=True, department="housing"
    )
    return event._replace(**changes)


def a_world() -> World:
    """One request: sent, assigned, accepted, supplemented, and at work."""
    events = [
        an_event(1, "submit", None, "received", actor_kind="citizen"),
        an_event(2, "auto_assign", "received", "assigned"),
        an_event(3, "accept", "assigned", "in_progress", actor_kind="staff", username="housing"),
        an_event(4, "supplement", "in_progress", "in_progress", actor_kind="citizen", public=False),
    ]
    snapshot = Snapshot(
        request_id="1", reference=REFERENCE, submitted_at=BEGAN, sequence=4, state=State.IN_PROGRESS,
        category="street_light", department="housing", policy_version=CITY.version, assigned_at=at(2),
        accepted_at=at(3), contacted_at=at(3), due_at=at(10_000), escalation_level=3, updated_at=at(4),
    )  # fmt: skip
    found = Found(
        read_at=at(60),
        snapshots={REFERENCE: snapshot},
        descriptions={REFERENCE: ("It is dark.", "+12025550100")},
        events={REFERENCE: events},
        messages=[a_message("submitted", 1), a_message("supplemented", 4)],
        said={REFERENCE: ["The second lamp."]},
        dues=[
            Due(REFERENCE, sequence, kind, recipient, "delivered", None, 1, 0, 0, (f"{sequence} {kind}",))
            for sequence, kind, recipient in (
                (1, "receipt", "citizen"), (2, "assigned", "citizen"), (2, "new_task", "staff:1"), (4, "supplemented", "staff:1"),
            )
        ],
        photos={"p": REFERENCE},
        runs={REFERENCE: Run("RUNNING", (at(90),), alarms=CLOCKS, stopped=())},
        retold={REFERENCE: Rebuilt(snapshot, CLOCKS, (), (), None, 0, ())},
        policies={CITY.version: CITY},
        unfinished=0,
        taken={attempt: Taken(at(sequence), reported_at=at(sequence)) for sequence, attempt in enumerate(ATTEMPTS)},
    )  # fmt: skip
    ledger = Ledger()
    ledger.sent[REFERENCE] = Sent(0, REFERENCE, "token", "It is dark.", "+12025550100")
    ledger.acted[REFERENCE] = [Acted("accept", "housing", "in_progress", 3)]
    ledger.heard[REFERENCE] = [Heard("supplement", at(4))]
    ledger.read[REFERENCE] = (Line(at(1), "submit"), Line(at(2), "auto_assign"))
    ledger.photos[REFERENCE] = ["p"]
    return World(ledger, Played({REFERENCE: frozenset({("in_progress", None)})}), found)


def a_message(kind: str, minute: int) -> Message:
    return Message(REFERENCE, kind, at(minute), "delivered", 1)


def test_world_in_which_everything_is_right_has_no_difference() -> None:
    assert a_world().broken() == {}


def lose_the_request(world: World) -> None:
    world.change(descriptions={})


def change_its_words(world: World) -> None:
    world.change(descriptions={REFERENCE: ("It is", "+12025550100")})


def forget_who_sent_it(world: World) -> None:
    world.ledger.sent.clear()


def lose_the_message(world: World) -> None:
    world.change(messages=world.found.messages[:1])


def keep_a_message_twice(world: World) -> None:
    world.change(messages=[*world.found.messages, a_message("supplemented", 5)])


def do_not_hear_a_message(world: World) -> None:
    events = world.found.events[REFERENCE]
    world.change(events={REFERENCE: events[:3]})


def store_what_was_denied(world: World) -> None:
    world.ledger.denied[REFERENCE] = ["The second lamp."]


def lose_the_words(world: World) -> None:
    world.change(wordless=[(REFERENCE, 4, "supplement")])


def lose_the_action(world: World) -> None:
    first, second, third, fourth = world.found.events[REFERENCE]
    world.change(events={REFERENCE: [first, second, third._replace(action="contact"), fourth]})


def answer_another_state(world: World) -> None:
    world.ledger.acted[REFERENCE] = [Acted("accept", "housing", "resolved", 3)]


def act_without_telling(world: World) -> None:
    world.ledger.acted.clear()


def lose_the_photo(world: World) -> None:
    world.change(photos={})


def unsay_a_line(world: World) -> None:
    world.ledger.read[REFERENCE] = (Line(at(1), "submit"), Line(at(2.5), "auto_assign"))


def end_wrongly(world: World) -> None:
    world.played.ends[REFERENCE] = frozenset({("closed", "solved")})


def leave_a_gap(world: World) -> None:
    first, *others = world.found.events[REFERENCE]
    world.change(events={REFERENCE: [first, *(event._replace(sequence=event.sequence + 1) for event in others)]})


def go_back_in_time(world: World) -> None:
    first, second, third, fourth = world.found.events[REFERENCE]
    world.change(events={REFERENCE: [first, second._replace(at=at(3.5)), third, fourth]})


def move_as_no_row_says(world: World) -> None:
    first, second, third, fourth = world.found.events[REFERENCE]
    world.change(events={REFERENCE: [first, second, third._replace(action="approve"), fourth]})


def take_an_attempt_twice(world: World) -> None:
    world.change(taken={**world.found.taken, ATTEMPTS[0]: Taken(at(1), times=2, reported_at=at(1))})


def try_again(world: World, after: float, **first: Any) -> None:
    """The first notice a second time, so many minutes after the first time."""
    due, *others = world.found.dues
    again = {ATTEMPTS[0]: Taken(at(1), **first), "again": Taken(at(1 + after), reported_at=at(9))}
    world.change(dues=[due._replace(tries=(*due.tries, "again")), *others], taken={**world.found.taken, **again})


def send_twice_although_it_was_reported(world: World) -> None:
    try_again(world, 2, reported_at=at(1.5))


def send_twice_within_the_grace(world: World) -> None:
    try_again(world, 0.2, reported_at=at(3))


def send_what_nobody_owes(world: World) -> None:
    world.change(taken={**world.found.taken, "of nobody": Taken(at(1))})


def send_never(world: World) -> None:
    first, *others = world.found.dues
    world.change(dues=[first._replace(state="owed", tries=()), *others])


def say_that_it_went_out(world: World) -> None:
    world.change(taken={attempt: taken for attempt, taken in world.found.taken.items() if attempt != ATTEMPTS[0]})


def owe_nothing(world: World) -> None:
    world.change(dues=world.found.dues[1:])


def owe_it_to_staff_only(world: World) -> None:
    receipt, *others = world.found.dues
    world.change(dues=[receipt._replace(recipient="staff:1"), *others])


def add_events(world: World, *added: Happening) -> None:
    """After those that there are, in the state in which the request is."""
    events = [*world.found.events[REFERENCE], *added]
    snapshot = replace(world.found.snapshots[REFERENCE], sequence=len(events), updated_at=events[-1].at)
    world.change(events={REFERENCE: events}, snapshots={REFERENCE: snapshot})


def a_rung(sequence: int, **changes: Any) -> Happening:
    return an_event(
        sequence, "escalate", "in_progress", "in_progress", level="1", previous_department="housing", **changes
    )


def escalate_and_tell_nobody(world: World) -> None:
    add_events(world, a_rung(5))


def tell_the_citizen_nothing_of_the_progress(world: World) -> None:
    add_events(world, an_event(5, "progress", "in_progress", "in_progress"))


def reach_a_level_twice(world: World) -> None:
    add_events(world, a_rung(5), a_rung(6))


def remind_twice(world: World) -> None:
    add_events(world, *(an_event(sequence, "remind_half", "in_progress", "in_progress") for sequence in (5, 6)))


def fail_the_run(world: World) -> None:
    world.change(runs={REFERENCE: Run("TERMINATED")})


def fail_a_task(world: World) -> None:
    change_the_run(world, failures=("NON_DETERMINISTIC_ERROR",))


def change_the_run(world: World, **parts: Any) -> None:
    world.change(runs={REFERENCE: replace(world.found.runs[REFERENCE], **parts)})


def lose_the_timer(world: World) -> None:
    change_the_run(world, timers=())


def let_a_timer_sleep(world: World) -> None:
    change_the_run(world, timers=(at(50), at(90)))


def wait_for_nothing(world: World) -> None:
    change_the_run(world, alarms=())


def say_nothing_of_clocks(world: World) -> None:
    change_the_run(world, alarms=None)


def forget_a_deadline(world: World) -> None:
    snapshot = replace(world.found.snapshots[REFERENCE], contacted_at=None, contact_due_at=at(30))
    world.change(snapshots={REFERENCE: snapshot})


def forget_a_deadline_behind_an_earlier_timer(world: World) -> None:
    snapshot = replace(world.found.snapshots[REFERENCE], contacted_at=None, contact_due_at=at(200))
    world.change(snapshots={REFERENCE: snapshot})


def forget_a_clock_behind_an_earlier_one(world: World) -> None:
    change_the_run(world, alarms=CLOCKS[:1])


def wait_for_what_nothing_asks_for(world: World) -> None:
    change_the_run(world, alarms=(*CLOCKS, an_alarm(AlarmKind.END_FEEDBACK, 300)))


def forget_a_clock_that_stands_still(world: World) -> None:
    retold = replace(world.found.retold[REFERENCE], stopped=(an_alarm(AlarmKind.CONTACT_OVERDUE, 300),))
    world.change(retold={REFERENCE: retold})


def be_late_with_a_clock(world: World) -> None:
    change_the_run(world, alarms=(CLOCKS[0], an_alarm(AlarmKind.HEARTBEAT, 501)))


def a_part(world: World, run: Run) -> None:
    """A co-handler is asked, and watched like that."""
    part = CoHandler(1, "public_safety", CoState.ASKED, "task", at(400))
    snapshot = replace(world.found.snapshots[REFERENCE], co_handlers=(part,))
    watched = WatchedPart(1, "public_safety", (an_alarm(AlarmKind.REMIND_HALF, 200),))
    retold = replace(world.found.retold[REFERENCE], parts=(watched,))
    world.change(snapshots={REFERENCE: snapshot}, retold={REFERENCE: retold}, watching={(REFERENCE, 1): run})


def do_not_watch_a_part(world: World) -> None:
    a_part(world, Run(None))


def forget_the_clock_of_a_part(world: World) -> None:
    a_part(world, Run("RUNNING", (at(300),)))


def show_what_the_history_does_not(world: World) -> None:
    world.change(read_model="1 request: 1 not as the histories say.")


def break_the_record_of_looks(world: World) -> None:
    world.change(audit="the chain is broken")


def answer_what_should_never_come(world: World) -> None:
    world.ledger.wrong.append("GET was answered 500")


def give_up(world: World) -> None:
    world.played.given_up.append("request 1 (rated): it is assigned for good")


def never_end(world: World) -> None:
    snapshot = replace(
        world.found.snapshots[REFERENCE], state=State.CLOSED, outcome=Outcome.SOLVED, resolved_at=at(-100_000)
    )
    world.change(snapshots={REFERENCE: snapshot})


def leave_something_waiting(world: World) -> None:
    world.change(unfinished=1)


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lose_the_request, "answered 201 is there, word for word"),
        (change_its_words, "answered 201 is there, word for word"),
        (forget_who_sent_it, "no request is there that nobody was told of"),
        (lose_the_message, "answered 202 is there"),
        (keep_a_message_twice, "every message reached its request once"),
        (do_not_hear_a_message, "every message reached its request once"),
        (store_what_was_denied, "told that nothing was stored"),
        (lose_the_words, "every text that an event names"),
        (lose_the_action, "every action that was answered 200"),
        (answer_another_state, "every action that was answered 200"),
        (act_without_telling, "no action was carried out twice"),
        (lose_the_photo, "every picture"),
        (unsay_a_line, "every line that a citizen has read"),
        (end_wrongly, "has reached a right state"),
        (leave_a_gap, "every timeline is whole"),
        (go_back_in_time, "every timeline is whole"),
        (move_as_no_row_says, "every timeline is whole"),
        (take_an_attempt_twice, "every notice went out once"),
        (send_twice_although_it_was_reported, "every notice went out once"),
        (send_twice_within_the_grace, "every notice went out once"),
        (send_what_nobody_owes, "every notice went out once"),
        (say_that_it_went_out, "every notice went out once"),
        (send_never, "every notice went out once"),
        (owe_nothing, "every notice that an event owes"),
        (owe_it_to_staff_only, "every notice that an event owes"),
        (escalate_and_tell_nobody, "every notice that an event owes"),
        (tell_the_citizen_nothing_of_the_progress, "every notice that an event owes"),
        (reach_a_level_twice, "no clock rings twice"),
        (remind_twice, "no clock rings twice"),
        (fail_the_run, "every request has its run"),
        (fail_a_task, "every request has its run"),
        (lose_the_timer, "no timer is missing"),
        (let_a_timer_sleep, "no timer is missing"),
        (forget_a_deadline, "no timer is missing"),
        (wait_for_nothing, "no timer is missing"),
        (say_nothing_of_clocks, "no timer is missing"),
        (forget_a_deadline_behind_an_earlier_timer, "no timer is missing"),
        (forget_a_clock_behind_an_earlier_one, "every run waits for what its timeline"),
        (wait_for_what_nothing_asks_for, "every run waits for what its timeline"),
        (forget_a_clock_that_stands_still, "every run waits for what its timeline"),
        (be_late_with_a_clock, "every run waits for what its timeline"),
        (do_not_watch_a_part, "every part of a co-handler"),
        (forget_the_clock_of_a_part, "every part of a co-handler"),
        (show_what_the_history_does_not, "the read model equals the histories"),
        (break_the_record_of_looks, "the record of looks"),
        (answer_what_should_never_come, "every answer was one that the interface may give"),
        (give_up, "could be brought to its end"),
        (never_end, "nothing more to wait for is over"),
        (leave_something_waiting, "nothing waits any more"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_damage_is_found(damage: Callable[[World], None], rule: str) -> None:
    world = a_world()
    damage(world)
    assert any(rule in broken for broken in world.broken()), world.broken()


def test_notice_that_quiet_hours_hold_back_is_no_difference() -> None:
    world = a_world()
    first, *others = world.found.dues
    held = first._replace(state="owed", not_before=at(600), tries=())
    taken = {attempt: taken for attempt, taken in world.found.taken.items() if attempt != ATTEMPTS[0]}
    world.change(dues=[held, *others], taken=taken)
    assert world.broken() == {}


def test_notice_whose_receipt_came_after_the_grace_may_go_out_again_and_is_told_of() -> None:
    world = a_world()
    try_again(world, 2, reported_at=at(4))
    assert world.broken() == {}
    (told,) = [excused for check in compare(world.ledger, world.played, world.found) for excused in check.excused]
    assert "receipt of event 1 is delivered, and went out 2 times" in told


def test_clock_that_rings_again_for_who_took_over_is_no_difference() -> None:
    world = a_world()
    add_events(
        world,
        an_event(5, "contact_overdue", "in_progress", "in_progress"),
        a_rung(6, department="parent"),
        an_event(7, "contact_overdue", "in_progress", "in_progress"),
    )
    assert not any("no clock rings twice" in rule for rule in world.broken())


def test_part_that_is_watched_to_the_moment_is_no_difference() -> None:
    world = a_world()
    a_part(world, Run("RUNNING", (at(200),)))
    assert world.broken() == {}


def test_message_without_an_answer_may_be_there_or_not() -> None:
    world = a_world()
    world.ledger.unanswered[REFERENCE, "supplement"] = 1
    assert world.broken() == {}
    keep_a_message_twice(world)
    events = world.found.events[REFERENCE]
    again = an_event(5, "supplement", "in_progress", "in_progress", actor_kind="citizen", public=False)
    snapshot = replace(world.found.snapshots[REFERENCE], sequence=5, updated_at=at(5))
    due = world.found.dues[-1]._replace(sequence=5, tries=("5",))
    taken = {**world.found.taken, "5": Taken(at(5), reported_at=at(5))}
    world.change(
        events={REFERENCE: [*events, again]},
        snapshots={REFERENCE: snapshot},
        dues=[*world.found.dues, due],
        taken=taken,
    )
    assert world.broken() == {}
