"""`huisheng duplicates`: measures the search for duplicates on requests of a file, and prints what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import click

from cli.duplicate_measures import (
    Against,
    Same,
    Suggested,
    against_flags,
    against_partners,
    have_one_title,
    load,
    named_as_parent,
    partners_of,
    ranks,
    share_half_of_their_sentences,
    suggestions,
)
from cli.duplicate_reports import COLUMNS, FileUnusable, Report, Reports, read_reports
from domain.similarity import MOST_COMPARED, MOST_SHOWN, SHOWN_FROM, WINDOW

_THRESHOLDS = (0.2, 0.25, SHOWN_FROM, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_DEFINITIONS: tuple[tuple[str, str, Same], ...] = (
    ("parent", "The file names the parent", named_as_parent),
    ("text", "At least half of the sentences of the shorter text stand in the other to the letter", share_half_of_their_sentences),
    ("title", "Equal titles (the title is not compared)", have_one_title),
)  # fmt: skip


@click.group()
def duplicates() -> None:
    """Measure the search for duplicates."""


@duplicates.command()
@click.option(
    "--from", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="CSV in UTF-8, plain or .gz."
)
@click.option(
    "--column", "columns", multiple=True, metavar="WHAT=NAME",
    help=f"Which column says what, where its name is not known: {', '.join(COLUMNS)}.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, 3650), default=WINDOW.days, show_default=True, help="How far to look back."
)
@click.option(
    "--most",
    type=click.IntRange(1, 100_000),
    default=MOST_COMPARED,
    show_default=True,
    help="Compare with so many, the latest.",
)
def evaluate(file: Path, columns: tuple[str, ...], days: int, most: int) -> None:
    """Let the requests of a file come in one by one, and count what a dispatcher would have been shown."""
    try:
        reports = read_reports(file, dict(_named(column) for column in columns))
    except FileUnusable as unusable:
        raise click.ClickException(str(unusable)) from unusable
    window = timedelta(days=days)
    started = time.perf_counter()
    suggested = list(suggestions(reports.rows, window, most))
    seconds = time.perf_counter() - started
    for line in _report(reports, suggested, window, seconds):
        click.echo(line)


def _named(column: str) -> tuple[str, str]:
    role, _, name = column.partition("=")
    if role not in COLUMNS or not name:
        raise click.BadParameter(
            f"Write it as WHAT=NAME, where WHAT is one of {', '.join(COLUMNS)}.", param_hint="--column"
        )
    return role, name


def _report(reports: Reports, suggested: Sequence[Suggested], window: timedelta, seconds: float) -> Iterator[str]:
    yield from _head(reports, suggested, seconds)
    yield from _load(suggested)
    if any(row.is_duplicate for row in reports.rows):
        yield from _flags(suggested)
    for column, sentence, same in _DEFINITIONS:
        if column in reports.columns:
            yield from _partners(reports.rows, suggested, sentence, same, window)


def _head(reports: Reports, suggested: Sequence[Suggested], seconds: float) -> Iterator[str]:
    compared = sum(each.compared for each in suggested)
    rows = reports.rows
    first, last = rows[0].matter.submitted_at, rows[-1].matter.submitted_at
    located = sum(row.matter.point is not None for row in rows)
    yield (
        f"{len(rows):,} requests from {first:%Y-%m-%d} to {last:%Y-%m-%d}, {located:,} of them with a point; "
        f"{reports.skipped:,} rows without a time were left out. Columns: {', '.join(sorted(reports.columns))}."
    )
    yield (
        f"{compared:,} pairs compared in {seconds:.1f} s: {1e6 * seconds / max(compared, 1):.0f} microseconds each, "
        f"{compared / len(rows):.0f} for each request, at most {max(each.compared for each in suggested)}."
    )


def _load(suggested: Sequence[Suggested]) -> Iterator[str]:
    number = len(suggested)
    yield f"\nWhat a dispatcher would be shown, at most {MOST_SHOWN} a request:\n"
    yield from _table(
        ("score from", "requests with some", "rows a request"),
        (
            (f"{each.threshold:.2f}", _share(each.with_some, number), f"{each.rows / number:.2f}")
            for each in load(suggested, _THRESHOLDS)
        ),
    )


def _flags(suggested: Sequence[Suggested]) -> Iterator[str]:
    yield "\nThe file says which requests were closed as duplicates, and not of which. With something to show:\n"
    yield from _table(
        ("score from", "duplicates", "others"),
        (
            (f"{each.threshold:.2f}", _share(each.duplicates_shown, each.duplicates), _share(each.others_shown, each.others))
            for each in against_flags(suggested, _THRESHOLDS)
        ),
    )  # fmt: skip


def _partners(
    rows: Sequence[Report], suggested: Sequence[Suggested], sentence: str, same: Same, window: timedelta
) -> Iterator[str]:
    partners = partners_of(rows, same, window)
    yield f"\n{sentence}: {len(partners):,} of {len(rows):,} requests have such an earlier one.\n"
    if not partners:
        return
    yield from _table(
        ("score from", "shown rows", "right (precision)", "duplicates found (recall)", "others disturbed"),
        (_against(each) for each in against_partners(suggested, partners, _THRESHOLDS)),
    )
    where = ranks(suggested, partners)
    number = len(partners)
    yield (
        f"\nThe first right one stands first for {_share(where.first, number)}, among three for "
        f"{_share(where.in_three, number)}, among {MOST_SHOWN} for {_share(where.in_ten, number)}; "
        f"not compared or below every threshold for {_share(where.missing, number)}."
    )


def _against(each: Against) -> tuple[str, ...]:
    return (
        f"{each.threshold:.2f}",
        f"{each.shown:,}",
        _share(each.right, each.shown),
        _share(each.found, each.duplicates),
        _share(each.disturbed, each.others),
    )


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %)" if whole else "none"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """In Markdown, for the page that shows it."""
    yield f"| {' | '.join(names)} |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        yield f"| {' | '.join(row)} |"
