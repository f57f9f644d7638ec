"""The books after a demonstration: what the database holds of it, and whether everything adds up to what was sent."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db import reconciliation
from db.pool import Database
from db.reconciliation import Happened, NoticeBooks, Standing
from demonstration.play import Story
from domain.request import TERMINAL

_CITIZENS_DO = ("supplement", "urge", "withdraw", "rate", "reopen")
_STAFF_DO = (
    "assign", "accept", "return_request", "decide", "reassign", "contact", "progress", "resolve", "approve", "send_back",
    "decline", "transfer",
)  # fmt: skip
_GONE_OUT = ("sent", "delivered")
_NOBODY_TO_TELL = "no_address"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Books:
    """What the database holds of these requests; `rates` are the city's counts by what this demonstration added to them."""

    sent: int
    standings: Sequence[Standing]
    events: Sequence[Happened]
    undelivered: int
    broken: Sequence[str]
    notices: NoticeBooks
    rates: Mapping[str, int]

    def times(self, action: str, actor_kind: str | None = None, detail: str | None = None) -> int:
        return sum(
            line.times
            for line in self.events
            if line.action == action and actor_kind in (None, line.actor_kind) and detail in (None, line.detail)
        )

    def details(self, action: str, actor_kind: str | None = None) -> Counter[str]:
        """How often with which detail."""
        found: Counter[str] = Counter()
        for line in self.events:
            if line.action == action and actor_kind in (None, line.actor_kind):
                found[line.detail or "-"] += line.times
        return found

    @property
    def outcomes(self) -> Counter[str]:
        """How the requests ended: the outcome of a closed one, the state of the others."""
        return Counter(standing.outcome or standing.state for standing in self.standings)

    @property
    def gone_out(self) -> int:
        return sum(self.notices.by_state.get(state, 0) for state in _GONE_OUT)

    @property
    def owed(self) -> int:
        """All notices but those that nobody could get."""
        return sum(self.notices.by_state.values()) - self.notices.by_state.get(_NOBODY_TO_TELL, 0)


async def calm(database: Database, references: Sequence[str], within_seconds: float) -> None:
    """Waits until every message of these requests is delivered and every notice has gone out, but no longer than that."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        notices = await reconciliation.notice_books(database, references)
        under_way = notices.by_state.get("owed", 0) + notices.by_state.get("sending", 0)
        if not under_way and not await reconciliation.undelivered(database, references):
            return
        await asyncio.sleep(0.5)


async def read_books(
    database: Database, references: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Books:
    """`before` and `after` are the city's counts as the interface gave them."""
    counts = {name: value for name, value in after.items() if isinstance(value, int)}
    return Books(
        sent=len(references),
        standings=await reconciliation.stored(database, references),
        events=await reconciliation.happened(database, references),
        undelivered=await reconciliation.undelivered(database, references),
        broken=await reconciliation.broken_timelines(database, references),
        notices=await reconciliation.notice_books(database, references),
        rates={name: value - int(before.get(name) or 0) for name, value in counts.items()},
    )


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold; `found` says what was found instead."""

    rule: str
    holds: bool
    found: str = ""


def checks(story: Story, books: Books, wanted: int) -> list[Check]:
    """Whether nothing is stuck, nothing is lost, every count adds up, and every notice went out once."""
    return [
        *_nothing_lost(story, books, wanted),
        *_nothing_stuck(story, books),
        *_counts_add_up(story, books),
        *_notices_once(books),
    ]


def _nothing_lost(story: Story, books: Books, wanted: int) -> Iterator[Check]:
    yield _equal("every message was taken", wanted, books.sent)
    yield _equal("every request that was confirmed is stored", books.sent, len(books.standings))
    yield _equal("every stored request is on the staff's list", books.sent, len(story.rows))
    yield _equal("every citizen's message has reached its request", 0, books.undelivered)
    yield Check("every timeline is whole", not books.broken, _some(books.broken))


def _nothing_stuck(story: Story, books: Books) -> Iterator[Check]:
    stuck = sorted(f"{each.reference} is {each.state}" for each in books.standings if each.state not in TERMINAL)
    yield Check("every request has come to an end", not stuck and story.ended_in_time, _some(stuck))


def _counts_add_up(story: Story, books: Books) -> Iterator[Check]:
    decided = books.times("auto_assign") + books.times("to_triage")
    yield _equal("assigned at once and sent to triage make up all", books.sent, decided)
    yield _equal("the ends make up all", books.sent, books.outcomes.total())
    # A rating of "no" reopens the request in the same breath; a message that came too late stays as a line.
    too_late = books.details("not_applied", "citizen")
    following = books.times("rate", "citizen", "no")
    told = {action: books.times(action, "citizen") + too_late[action] for action in _CITIZENS_DO}
    told["reopen"] -= following
    yield from (
        _counted(story, f"every '{action}' of a citizen was heard once", action, told[action])
        for action in _CITIZENS_DO
    )
    yield from (
        _counted(story, f"every '{action}' of the staff was done once", action, books.times(action, "staff"))
        for action in _STAFF_DO
    )
    added = books.rates.get("submitted", 0)
    yield Check("the city's numbers count them all", added >= books.sent, f"{books.sent} were sent, {added} counted")


def _notices_once(books: Books) -> Iterator[Check]:
    yield _equal("every notice that was owed went out", books.owed, books.gone_out)
    yield _equal("no notice went out twice", 0, books.notices.sent_more_than_once)
    if books.notices.kept:
        yield _equal("the console provider kept each once", books.gone_out, books.notices.kept)


def _counted(story: Story, rule: str, action: str, found: int) -> Check:
    """Where an answer was lost on the way, more may have been done than the players know."""
    known = story.accepted[action]
    holds = found == known or (story.unavailable > 0 and known < found <= known + story.unavailable)
    return Check(rule, holds, f"{known} were confirmed, {found} found")


def _equal(rule: str, expected: int, found: int) -> Check:
    return Check(rule, expected == found, f"{expected} expected, {found} found")


def _some(references: Sequence[str]) -> str:
    more = len(references) - _SHOWN
    return ", ".join(references[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
