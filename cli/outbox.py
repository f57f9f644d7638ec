"""`huisheng outbox`: the messages that the console provider kept, as a person at the terminal reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.database import opened, plainly
from cli.looks import looked
from cli.reference import REFERENCE
from db import outbox as kept
from db.audit import Seen
from db.outbox import Line
from db.pool import Pool
from db.sealing import KeyRing
from domain.audit import Kind
from settings import Settings

LOOK_EVERY_SECONDS = 1.0
# A message is dated when its transaction begins and seen when it is committed, a moment later.
LOOK_BACK = timedelta(seconds=10)
MOST_AT_ONCE = 10_000
WIDTH_IN_A_FILE = 240


@click.command()
@click.option("--reference", type=REFERENCE, help="Only the messages about this request.")
@click.option("--follow", is_flag=True, help="Stay and show new messages as they come, until Ctrl-C.")
@click.option(
    "--limit", type=click.IntRange(1, MOST_AT_ONCE), default=50, show_default=True, help="At most so many, the newest."
)
def outbox(reference: str | None, follow: bool, limit: int) -> None:
    """Show the messages the console provider kept, newest last."""
    settings = Settings.from_environment()
    with plainly():
        asyncio.run(_show(settings, _console(), reference, limit, follow))


def _console() -> Console:
    """As wide as the terminal; into a file or a pipe so wide that a message stands on one line."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_IN_A_FILE)


async def _show(settings: Settings, console: Console, reference: str | None, limit: int, follow: bool) -> None:
    keys = KeyRing.from_text(settings.keys)
    async with opened(settings, "outbox") as pool:
        lines = await kept.latest(pool, keys, reference=reference, most=limit)
        await looked(pool, Seen(Kind.MESSAGES, reference, len(lines)))
        if lines or follow:
            console.print(_table(lines, with_header=True))
        else:
            console.print(_nothing(settings, reference))
        if follow:
            await _follow(pool, keys, console, reference, lines)


async def _follow(pool: Pool, keys: KeyRing, console: Console, reference: str | None, shown: Sequence[Line]) -> None:
    seen: dict[UUID, datetime] = {line.notice_id: line.sent_at for line in shown}
    while True:
        latest = max(seen.values(), default=None) or datetime.now(UTC)
        new = await kept.latest(pool, keys, reference=reference, after=latest - LOOK_BACK, most=MOST_AT_ONCE)
        new = [line for line in new if line.notice_id not in seen]
        if new:
            await looked(pool, Seen(Kind.MESSAGES, reference, len(new)))
            console.print(_table(new, with_header=False))
        seen = {notice_id: at for notice_id, at in seen.items() if at > latest - LOOK_BACK}
        seen |= {line.notice_id: line.sent_at for line in new}
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _table(lines: Sequence[Line], *, with_header: bool) -> Table:
    table = Table(show_header=with_header, box=None, padding=(0, 2, 0, 0), expand=True)
    # Fixed widths, so that what comes later stands under the same headings.
    table.add_column("Sent", width=15, no_wrap=True)
    table.add_column("Reference", width=15, no_wrap=True)
    table.add_column("Notice", width=18)
    table.add_column("To", width=15)
    table.add_column("SMS", width=3, justify="right")
    table.add_column("Text", ratio=1, overflow="fold")
    for line in lines:
        to = Text.assemble(line.recipient, "\n", (line.to, "dim"))
        sent = f"{line.sent_at.astimezone():%d %b %H:%M:%S}"
        table.add_row(sent, line.reference, line.kind, to, str(line.parts), Text(line.text))
    return table


def _nothing(settings: Settings, reference: str | None) -> str:
    if settings.sms_provider != "console":
        return f"No messages are kept here: the provider is {settings.sms_provider}, and its gateway has them."
    return f"No messages about {reference} yet." if reference else "No messages yet."
