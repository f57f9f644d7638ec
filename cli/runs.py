"""`huisheng runs`: do the runs in Temporal and the requests in the database agree, and bring back what is missing or wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import click
from temporalio.service import RPCError

import db.policies
from activities.wanted_runs import Lasting, WantedRuns
from backup.restoring import distrust_runs
from cli.database import opened, plainly
from cli.reference import REFERENCE
from db.sealing import KeyRing
from policies.store import PolicyStore
from settings import Settings
from workflows.connection import connect
from workflows.lost_runs import Checked, LostRuns

T = TypeVar("T")

SHOWN = 20
"""So many references of a kind are named; after a loss there may be very many."""


@click.group(name="runs")
def runs() -> None:
    """Compare the runs in Temporal with the requests, and bring back what is missing."""


@runs.command()
@click.option("--all", "every", is_flag=True, help="Name every reference, not only the first of each kind.")
def check(every: bool) -> int:
    """List requests without a run, and runs without a request that needs them; the exit code is 1 where there are any."""
    checked = _with_runs(_check)
    for references, words in _findings(checked):
        if references:
            click.echo(f"{_number(references)} {words}: {_named(references, every)}")
    agree = "They agree." if checked.agree else "They do not agree: see docs/runbook.md, Runs that are missing."
    click.echo(f"{checked.requests:,} requests that need a run, {checked.runs:,} runs. {agree}")
    return 0 if checked.agree else 1


@runs.command()
@click.argument("references", nargs=-1, type=REFERENCE, metavar="[REFERENCE]...")
@click.option("--all", "every", is_flag=True, help="All that are missing.")
@click.option("--afresh", is_flag=True, help="End the runs that these requests have, and begin them anew.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 1000), default=50.0, show_default=True, help="So many in a second at most."
)
def rebuild(references: tuple[str, ...], every: bool, afresh: bool, rate: float) -> int:
    """Start runs again that were lost, where they stood: of the requests with these REFERENCEs, or of --all.

    The system may go on meanwhile. Whoever stops in the middle begins again: a request that has its run is passed over.
    """
    if bool(references) == every:
        raise click.UsageError("Name the requests, or say --all.")
    if afresh and not references:
        raise click.UsageError("--afresh is for requests that you name.")
    brought, passed = _with_runs(partial(_rebuild, references=list(references), afresh=afresh, rate=rate))
    passed_over = f" {passed:,} had one already." if passed else ""
    click.echo(f"{brought:,} {'run' if brought == 1 else 'runs'} started again.{passed_over}")
    return 0


@runs.command()
def distrust() -> None:
    """Let no run of before go on, after PostgreSQL alone was brought to an earlier instant.

    Stop the API and the workers first. The first worker that starts ends every run, and they begin anew where the database says
    that they stood.
    """
    settings = Settings.from_environment()
    with plainly():
        asyncio.run(distrust_runs(settings.database_url, datetime.now(UTC)))
    click.echo(
        "No run of before goes on. Start the workers, then the API: the first worker ends the runs and brings them back as the "
        "database has them; `huisheng runs check` says whether all are there."
    )


async def _check(lost: LostRuns) -> Checked:
    return await lost.check()


async def _rebuild(lost: LostRuns, references: list[str], afresh: bool, rate: float) -> tuple[int, int]:
    """How many were started again, and how many had a run."""
    missing = await _named_ones(lost, references, afresh) if references else (await lost.check()).missing
    brought = passed = 0
    with click.progressbar(length=len(missing), label="Runs", file=sys.stderr) as progress:
        for each in missing:
            if await lost.bring_back(each):
                brought += 1
                await asyncio.sleep(1 / rate)
            else:
                passed += 1
            progress.update(1)
    return brought, passed


async def _named_ones(lost: LostRuns, references: list[str], afresh: bool) -> list[Lasting]:
    needing = await lost.needing(references)
    over = sorted({*references} - {each.reference for each in needing})
    if over and not afresh:
        raise click.ClickException(f"No run is needed for {', '.join(over)}: over for good, erased, or not there.")
    if afresh:
        for reference in references:
            await lost.end(reference, "begun anew by an admin")
    return needing


def _findings(checked: Checked) -> Iterable[tuple[list[str], str]]:
    yield [each.reference for each in checked.missing], "without a run"
    yield checked.ended, "over for days, with a run that goes on"
    yield checked.unknown, "with a run, and not in this database"


def _number(references: list[str]) -> str:
    return f"{len(references):,} {'request' if len(references) == 1 else 'requests'}"


def _named(references: list[str], every: bool) -> str:
    shown = references if every else references[:SHOWN]
    more = len(references) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more (--all names them)" if more else "")


def _with_runs(work: Callable[[LostRuns], Awaitable[T]]) -> T:
    """What the work finds; what can go wrong becomes one plain sentence."""
    settings = Settings.from_environment()

    async def run() -> T:
        async with _lost_runs(settings) as lost:
            return await work(lost)

    with plainly():
        try:
            return asyncio.run(run())
        except RPCError as error:
            raise click.ClickException(
                f"Temporal does not answer ({error.status.name}). What was started so far stays; run this again."
            ) from error


@asynccontextmanager
async def _lost_runs(settings: Settings) -> AsyncIterator[LostRuns]:
    async with opened(settings, "runs", size=2) as pool:
        client = await connect(settings.temporal_address, KeyRing.from_text(settings.keys))
        policies = PolicyStore(partial(db.policies.active_version, pool), partial(db.policies.content_of, pool))
        yield LostRuns(client, WantedRuns(pool, policies, lambda: datetime.now(UTC)))
