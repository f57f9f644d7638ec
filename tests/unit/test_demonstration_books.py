"""Whether the books of a demonstration add up: each way in which they do not is found and said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from db.reconciliation import Happened, NoticeBooks, Standing
from demonstration import report
from demonstration.books import Books, checks
from demonstration.parts import Part, Row
from demonstration.play import Story
from demonstration.shortening import is_short
from domain.policy import shortened
from tests.builders import MONDAY_NINE
from tests.city import a_city

REFERENCES = ("2611-0000-00010", "2611-0000-00021")


def a_story(**changes: Any) -> Story:
    """Two requests: one assigned at once, accepted, resolved and rated; one triaged and declined."""
    rows = {reference: Row.read(_told(reference)) for reference in REFERENCES}
    values: dict[str, Any] = {
        "began_at": MONDAY_NINE,
        "parts": {reference: Part(reference, "token", None) for reference in REFERENCES},
        "rows": rows,
        "accepted": Counter({"accept": 1, "resolve": 1, "decline": 1, "rate": 1}),
    }
    return Story(**(values | changes))


def _told(reference: str) -> dict[str, Any]:
    instant = MONDAY_NINE.isoformat()
    return {
        "reference": reference, "state": "closed", "category": None, "department": None, "submitted_at": instant,
        "accept_due_at": None, "due_at": None, "escalation_level": 0,
    }  # fmt: skip


def some_books(**changes: Any) -> Books:
    values: dict[str, Any] = {
        "sent": 2,
        "standings": [Standing(REFERENCES[0], "closed", "solved"), Standing(REFERENCES[1], "declined", None)],
        "events": [
            Happened("submit", "citizen", None, 2, 2),
            Happened("auto_assign", "system", "housing", 1, 1),
            Happened("to_triage", "system", "low_confidence", 1, 1),
            Happened("accept", "staff", None, 1, 1),
            Happened("resolve", "staff", "resolved", 1, 1),
            Happened("decline", "staff", None, 1, 1),
            Happened("rate", "citizen", "yes", 1, 1),
        ],
        "undelivered": 0,
        "broken": [],
        "notices": NoticeBooks({"sent": 5, "no_address": 1}, 0, 5),
        "rates": {"submitted": 2, "assigned": 1, "contact_pending": 0, "contacted_in_time": 1, "answered": 1, "solved": 1, "satisfied": 1},
    }  # fmt: skip
    return Books(**(values | changes))


def with_event(*events: Happened) -> Books:
    return replace(some_books(), events=[*some_books().events, *events])


def test_books_that_add_up_are_found_to_add_up() -> None:
    assert report.failures(checks(a_story(), some_books(), wanted=2)) is None


@pytest.mark.parametrize(
    ("story", "books", "said"),
    [
        pytest.param(a_story(), some_books(sent=1), "every message was taken", id="a message was not taken"),
        pytest.param(a_story(), some_books(standings=[some_books().standings[0]]), "is stored", id="a request is lost"),
        pytest.param(a_story(rows={}), some_books(), "on the staff's list", id="not on the list"),
        pytest.param(a_story(), some_books(undelivered=1), "has reached its request", id="a message waits"),
        pytest.param(a_story(), some_books(broken=[REFERENCES[0]]), "timeline is whole", id="a gap in a timeline"),
        pytest.param(
            a_story(),
            some_books(standings=[Standing(REFERENCES[0], "in_progress", None), some_books().standings[1]]),
            f"come to an end ({REFERENCES[0]} is in_progress)",
            id="stuck",
        ),
        pytest.param(a_story(ended_in_time=False), some_books(), "come to an end", id="out of time"),
        pytest.param(
            a_story(), with_event(Happened("to_triage", "system", "no_route", 1, 1)), "make up all", id="decided twice"
        ),
        pytest.param(
            a_story(), with_event(Happened("accept", "staff", None, 1, 1)), "'accept' of the staff", id="accepted twice"
        ),
        pytest.param(a_story(accepted=Counter()), some_books(), "'rate' of a citizen", id="an unknown rating"),
        pytest.param(a_story(), some_books(rates={"submitted": 1}), "numbers count them all", id="not counted"),
        pytest.param(
            a_story(), some_books(notices=NoticeBooks({"sent": 4, "owed": 1}, 0, 4)), "owed went out", id="owed"
        ),
        pytest.param(a_story(), some_books(notices=NoticeBooks({"sent": 5}, 1, 5)), "went out twice", id="sent twice"),
        pytest.param(a_story(), some_books(notices=NoticeBooks({"sent": 5}, 0, 6)), "kept each once", id="kept twice"),
    ],
)
def test_what_does_not_add_up_is_said(story: Story, books: Books, said: str) -> None:
    sentence = report.failures(checks(story, books, wanted=2))
    assert sentence is not None
    assert said in sentence


def test_no_is_followed_by_a_reopening_that_nobody_asked_for() -> None:
    story = a_story(accepted=Counter({"accept": 1, "resolve": 1, "decline": 1, "rate": 2}))
    books = with_event(Happened("rate", "citizen", "no", 1, 1), Happened("reopen", "citizen", None, 1, 1))
    assert report.failures(checks(story, books, wanted=2)) is None


def test_message_that_came_too_late_is_counted_as_heard() -> None:
    story = a_story(accepted=Counter({"accept": 1, "resolve": 1, "decline": 1, "rate": 1, "urge": 1}))
    assert report.failures(checks(story, some_books(), wanted=2)) is not None
    books = with_event(Happened("not_applied", "citizen", "urge", 1, 1))
    assert report.failures(checks(story, books, wanted=2)) is None


def test_answer_that_was_lost_on_the_way_excuses_one_deed_more() -> None:
    books = with_event(Happened("accept", "staff", None, 1, 1))
    assert report.failures(checks(a_story(unavailable=1), books, wanted=2)) is None


def test_tables_say_what_happened() -> None:
    table = report.table(a_story(), some_books())
    cells = dict(
        zip(table.columns[0].cells, zip(table.columns[1].cells, table.columns[2].cells, strict=True), strict=True)
    )
    assert cells["assigned at once"] == ("1", "housing 1")
    assert cells["sent to triage"] == ("1", "low_confidence 1")
    assert cells["ended"] == ("2", "solved 1, declined 1")
    assert cells["notices owed, and sent"] == ("5, 5", "no_address 1, sent 5")
    assert [*report.rates(some_books().rates).columns[1].cells] == ["100.0%", "100.0%", "100.0%"]
    assert [*report.rates({}).columns[1].cells] == ["-", "-", "-"]


def test_shortened_policy_is_told_from_a_citys_own() -> None:
    assert not is_short(a_city())
    assert is_short(shortened(a_city(), 4))
