"""The comparison at the end of a trial: a world in which everything is right has no difference, and each damage has its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chaos.comparison import compare
from chaos.found import Check, Found
from chaos.ledger import Acted, Heard, Ledger, Line, Sent
from chaos.load import Played
from chaos.runs import Run
from db.proof import Due, Happening, Message
from domain.policy import Policy
from domain.request import Outcome, Snapshot, State
from tests.city import a_city

REFERENCE = "2611-4829-13704"
BEGAN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CITY: Policy = a_city()


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


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
            Due(REFERENCE, sequence, kind, recipient, "sent", None, accepted=1, unclear=0, kept=1)
            for sequence, kind, recipient in (
                (1, "receipt", "citizen"), (2, "assigned", "citizen"), (2, "new_task", "staff:1"), (4, "supplemented", "staff:1"),
            )
        ],
        photos={"p": REFERENCE},
        runs={REFERENCE: Run("RUNNING", (at(90),))},
        policies={CITY.version: CITY},
        unfinished=0,
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


def send_twice(world: World) -> None:
    first, *others = world.found.dues
    world.change(dues=[first._replace(accepted=2), *others])


def send_never(world: World) -> None:
    first, *others = world.found.dues
    world.change(dues=[first._replace(state="owed", accepted=0, kept=0), *others])


def owe_nothing(world: World) -> None:
    world.change(dues=world.found.dues[1:])


def fail_the_run(world: World) -> None:
    world.change(runs={REFERENCE: Run("TERMINATED")})


def fail_a_task(world: World) -> None:
    world.change(runs={REFERENCE: Run("RUNNING", (at(90),), ("NON_DETERMINISTIC_ERROR",))})


def lose_the_timer(world: World) -> None:
    world.change(runs={REFERENCE: Run("RUNNING")})


def let_a_timer_sleep(world: World) -> None:
    world.change(runs={REFERENCE: Run("RUNNING", (at(50),))})


def forget_a_deadline(world: World) -> None:
    snapshot = replace(world.found.snapshots[REFERENCE], contacted_at=None, contact_due_at=at(30))
    world.change(snapshots={REFERENCE: snapshot})


def wait_too_long_for_a_deadline(world: World) -> None:
    snapshot = replace(world.found.snapshots[REFERENCE], contacted_at=None, contact_due_at=at(80))
    world.change(snapshots={REFERENCE: snapshot})


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
        (send_twice, "every notice went out once"),
        (send_never, "every notice went out once"),
        (owe_nothing, "every notice that an event owes"),
        (fail_the_run, "every request has its run"),
        (fail_a_task, "every request has its run"),
        (lose_the_timer, "no timer is missing"),
        (let_a_timer_sleep, "no timer is missing"),
        (forget_a_deadline, "no timer is missing"),
        (wait_too_long_for_a_deadline, "no timer is missing"),
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
    held = first._replace(state="owed", not_before=at(600), accepted=0, kept=0)
    world.change(dues=[held, *others])
    assert world.broken() == {}


def test_message_without_an_answer_may_be_there_or_not() -> None:
    world = a_world()
    world.ledger.unanswered[REFERENCE, "supplement"] = 1
    assert world.broken() == {}
    keep_a_message_twice(world)
    events = world.found.events[REFERENCE]
    again = an_event(5, "supplement", "in_progress", "in_progress", actor_kind="citizen", public=False)
    snapshot = replace(world.found.snapshots[REFERENCE], sequence=5, updated_at=at(5))
    due = world.found.dues[-1]._replace(sequence=5)
    world.change(events={REFERENCE: [*events, again]}, snapshots={REFERENCE: snapshot}, dues=[*world.found.dues, due])
    assert world.broken() == {}
