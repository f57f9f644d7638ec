"""What a demonstration ends with: the table of what happened, the three rates, and the checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from demonstration.books import Books, Check
from demonstration.play import Story

REMINDERS = {
    "accept_overdue": "not accepted in time", "contact_overdue": "not contacted in time", "remind_half": "half of the time used",
    "remind_eighty": "four fifths used", "remind_feedback": "asked again to rate",
}  # fmt: skip


def table(story: Story, books: Books) -> Table:
    """One line a subject."""
    table = Table("What", "How many", "Of these", title="What became of the messages", title_justify="left")
    for name, number, details in _lines(story, books):
        table.add_row(name, number, details)
    return table


def _lines(story: Story, books: Books) -> Iterator[tuple[str, str, str]]:
    yield "submitted", str(books.sent), ""
    yield "assigned at once", *_split(books.details("auto_assign"))
    yield "sent to triage", *_split(books.details("to_triage"))
    yield "assigned by a dispatcher", *_split(books.details("assign", "staff"))
    yield (
        "returned, reassigned, decided",
        *_split(Counter({name: books.times(name) for name in ("return_request", "reassign", "decide")})),
    )
    yield "reminders by timer", *_split(Counter({words: books.times(kind) for kind, words in REMINDERS.items()}))
    yield "escalated by timer", *_split(_levels(books, "system"))
    yield "escalated by hand", *_split(_levels(books, "staff"))
    yield "resolved", *_split(books.details("resolve"))
    yield "reviewed", *_split(Counter({name: books.times(name) for name in ("approve", "send_back")}))
    yield "rated (solved?)", *_split(books.details("rate"))
    yield "reopened", str(books.times("reopen")), ""
    yield (
        "supplements, urges, withdrawals",
        *_split(Counter({name: books.times(name) for name in ("supplement", "urge", "withdraw")})),
    )
    yield "too late to be applied", *_split(books.details("not_applied"))
    yield "ended", *_split(books.outcomes)
    yield "notices owed, and sent", f"{books.owed}, {books.gone_out}", _notices(books)
    yield "refused to the players", *_split(story.refused)


def _levels(books: Books, actor_kind: str) -> Counter[str]:
    return Counter({f"level {level}": times for level, times in sorted(books.details("escalate", actor_kind).items())})


def _split(parts: Counter[str]) -> tuple[str, str]:
    shown = ", ".join(f"{name} {number}" for name, number in parts.most_common() if number)
    return str(parts.total()), shown


def _notices(books: Books) -> str:
    return ", ".join(f"{state} {number}" for state, number in sorted(books.notices.by_state.items()))


def rates(counts: Mapping[str, int]) -> Table:
    """The three rates of what was added to the city's counts since the beginning."""
    table = Table("Rate", "", "Counted", title="The three rates", title_justify="left")
    assigned = counts.get("assigned", 0) - counts.get("contact_pending", 0)
    answered = counts.get("answered", 0)
    for name, part, whole, words in (
        ("response", counts.get("contacted_in_time", 0), assigned, "contacted in time, of the assigned"),
        ("resolution", counts.get("solved", 0), answered, "solved, of those that the citizen rated"),
        ("satisfaction", counts.get("satisfied", 0), answered, "satisfied, of those that the citizen rated"),
    ):
        table.add_row(name, f"{part / whole:.1%}" if whole else "-", f"{part} of {whole} {words}")
    return table


def failures(checked: Sequence[Check]) -> str | None:
    """None, or the sentence that says what does not hold."""
    broken = [f"{check.rule} ({check.found})" if check.found else check.rule for check in checked if not check.holds]
    return f"It does not add up. What should hold and does not: {'; '.join(broken)}." if broken else None
