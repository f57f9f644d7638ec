"""`huisheng topics`: what many people wrote about, in a file or in the city's own requests, as a person or a program reads it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from activities.topics import found_in
from classifier.topics import MOST_MESSAGES, WINDOW, Period
from cli.database import opened, plainly
from cli.duplicate_reports import FileUnusable
from cli.looks import looked
from cli.topic_messages import read_messages
from db import topics as stored
from db.audit import Seen
from db.sealing import KeyRing
from db.topics import Found, Told
from domain.audit import Kind
from domain.masking import masked
from settings import Settings


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A topic as it is printed. `messages` are references or the ids of the file, the latest first."""

    name: str
    authors: int
    lately: int
    before: int
    times: float | None
    probability: float
    spike: bool
    places: tuple[str, ...]
    messages: tuple[str, ...]


@click.command()
@click.option(
    "--from", "file", type=click.Path(dir_okay=False, path_type=Path),
    help="CSV in UTF-8, plain or .gz; without it the city's own requests are looked at.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(2, 36_500),
    help=f"How far to look back; {WINDOW.days} in the city's own requests, all of a file unless given.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For a program.")
def topics(file: Path | None, days: int | None, as_json: bool) -> None:
    """Say what many people write about, and what of it grows. Names are masked."""
    started = time.perf_counter()
    with plainly():
        try:
            read, period, shown = _of_file(file, days) if file else asyncio.run(_of_city(days or WINDOW.days))
        except FileUnusable as unusable:
            raise click.ClickException(str(unusable)) from unusable
    seconds = time.perf_counter() - started
    for line in [_as_json(read, period, shown, seconds)] if as_json else _lines(read, period, shown, seconds):
        click.echo(line)


def _of_file(file: Path, days: int | None) -> tuple[int, Period, list[Shown]]:
    from classifier.topics import topics_of

    messages, _ = read_messages(file)
    until = max(each.at for each in messages)
    period = Period(until - timedelta(days=days) if days else min(each.at for each in messages), until)
    found = topics_of(messages, period)
    number = sum(period.since <= each.at <= until for each in messages)
    return min(number, MOST_MESSAGES), period, [
        Shown(
            _masked(each.name), each.size, each.authors.lately, each.authors.before, each.growth.times,
            each.growth.probability, each.growth.is_spike, tuple(map(_masked, each.places)), each.messages,
        )
        for each in found
    ]  # fmt: skip


async def _of_city(days: int) -> tuple[int, Period, list[Shown]]:
    settings = Settings.from_environment()
    keys = KeyRing.from_text(settings.keys)
    now = datetime.now(UTC)
    period = Period(now - timedelta(days=days), now)
    async with opened(settings, "topics") as pool:
        sealed = await stored.told(pool, period.since, now, MOST_MESSAGES)
        told = sealed.opened(keys)
        await looked(pool, Seen(Kind.LIST, count=len(told)))
    return len(told), period, [_shown(each, told) for each in found_in(told, period)]


def _shown(found: Found, told: Sequence[Told]) -> Shown:
    references = {each.request_id: each.reference for each in told}
    return Shown(
        found.name, found.authors, found.lately, found.before, found.times, found.probability, found.is_spike,
        found.places, tuple(references[each] for each in found.requests),
    )  # fmt: skip


def _masked(name: str) -> str:
    return masked(name, "zh" if any("\u3400" <= character <= "\u9fff" for character in name) else "en")


def _as_json(read: int, period: Period, shown: Sequence[Shown], seconds: float) -> str:
    whole: dict[str, Any] = {
        "messages": read,
        "since": period.since.isoformat(),
        "lately_since": period.lately_since.isoformat(),
        "until": period.until.isoformat(),
        "seconds": round(seconds, 2),
        "topics": [_plain(each) for each in shown],
    }
    return json.dumps(whole, ensure_ascii=False)


def _plain(shown: Shown) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in Shown.__slots__} | {"size": len(shown.messages)}


def _lines(read: int, period: Period, shown: Sequence[Shown], seconds: float) -> Iterator[str]:
    yield (
        f"{read:,} messages from {period.since:%Y-%m-%d} to {period.until:%Y-%m-%d}, {len(shown)} topics, {seconds:.1f} s. "
        f"Lately is from {period.lately_since:%Y-%m-%d} on.\n"
    )
    for each in shown:
        grown = f"{each.times:.1f} times as many a day" if each.times is not None else "nobody before"
        yield f"{'SPIKE  ' if each.spike else ''}{each.name}"
        yield f"    {each.authors} people, {each.lately} lately and {each.before} before: {grown} (chance {each.probability:.2g})"
        if each.places:
            yield f"    places: {', '.join(each.places)}"
        listed = ", ".join(each.messages[:5]) + (", …" if len(each.messages) > 5 else "")
        yield f"    {len(each.messages)} {'message' if len(each.messages) == 1 else 'messages'}: {listed}"
