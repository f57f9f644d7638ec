"""`huisheng demo`: real messages through the running system, with staff and citizens played, and the books at the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg
import click
from rich import progress
from rich.console import Console

from demonstration import report
from demonstration.interface import Account, DemonstrationFailed
from demonstration.labels import LabelsUnusable
from demonstration.messages import MessagesUnusable, draw, read_messages
from demonstration.performance import Performance, Script, perform
from demonstration.play import Progress
from domain.errors import HuishengError
from settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """What `huisheng up` left for whoever demonstrates."""

    api: str
    accounts: tuple[Account, ...]


@click.command()
@click.option(
    "--from", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV, plain or .gz, with the columns title and body, and perhaps label.",
)  # fmt: skip
@click.option("--count", type=click.IntRange(1), default=500, show_default=True, help="How many messages.")
@click.option("--rate", type=click.FloatRange(0.1, 500), default=4, show_default=True, help="How many a second.")
@click.option(
    "--seconds-per-working-day", "day", type=click.FloatRange(1, 3600), default=8, show_default=True,
    help="How long a working day lasts while it runs.",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses the messages and who does what.")
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='TOML with lines like "label" = "department"; other labels are matched by the likeness of names.',
)  # fmt: skip
@click.option(
    "--accounts", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with addresses and accounts that `huisheng up` wrote; demo.json in the folder of the running system.",
)  # fmt: skip
@click.option("--api", "address", help="The address of the interface, where it is not the one in demo.json.")
def demo(
    file: Path,
    count: int,
    rate: float,
    day: float,
    seed: int,
    labels: Path | None,
    accounts: Path | None,
    address: str | None,
) -> int:
    """Send real messages through the running system, play staff and citizens, and check the books.

    A shortened policy is in force while it runs; the city's own comes back at the end, on Ctrl-C too.
    """
    console = Console(highlight=False)
    with _plainly():
        told = _told(accounts or Path(os.environ.get("HUISHENG_VAR", "var")) / "demo.json")
        messages = draw(read_messages(file), count, seed)
        script = Script(messages, rate, timedelta(seconds=day), seed, labels, address or told.api, told.accounts)
        with _bars(console, len(messages)) as tell:
            performance = asyncio.run(_until_terminated(perform(Settings.from_environment(), script, tell)))
        return _show(console, performance)


def _told(file: Path) -> Told:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return Told(told["api"], tuple(Account.read(account) for account in told["accounts"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise DemonstrationFailed(
            f"{file} is missing or not what `huisheng up` writes. Start the system with `make up`, or name the file with --accounts."
        ) from None


async def _until_terminated(work: Awaitable[T]) -> T:
    """SIGTERM ends it like Ctrl-C: the city's own policy comes back."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


@contextmanager
def _bars(console: Console, count: int) -> Iterator[Callable[[Progress], None]]:
    columns = (
        progress.TextColumn("{task.description:<12}"), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
    )  # fmt: skip
    with progress.Progress(*columns, console=console) as bars:
        sent, looked_at, over = (bars.add_task(name, total=count) for name in ("sent", "looked at", "over"))

        def tell(seen: Progress) -> None:
            bars.update(sent, completed=seen.sent)
            bars.update(looked_at, completed=seen.looked_at)
            bars.update(over, completed=seen.over)

        yield tell


def _show(console: Console, performance: Performance) -> int:
    console.print(report.table(performance.story, performance.books))
    console.print(report.rates(performance.books.rates))
    problem = report.failures(performance.checked)
    if problem:
        click.echo(problem, err=True)
        return 1
    console.print(f"[green]✓[/] Nothing stuck, nothing lost: all {len(performance.checked)} checks hold.")
    return 0


@contextmanager
def _plainly() -> Iterator[None]:
    """What can go wrong becomes one sentence."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        raise _in_a_sentence(_first(error)) from None


def _first(error: BaseException) -> BaseException:
    """Tasks that belong together fail together; the first failure is the reason."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _in_a_sentence(error: BaseException) -> BaseException:
    match error:
        case DemonstrationFailed() | MessagesUnusable() | LabelsUnusable():
            return click.ClickException(str(error))
        case HuishengError():
            return click.ClickException(error.message)
        case OSError() | asyncpg.PostgresError() | asyncpg.InterfaceError():
            kind = type(error).__name__
            return click.ClickException(f"The database cannot be used ({kind}). Is the system running?")
        case asyncio.CancelledError():
            return click.Abort()
    return error
