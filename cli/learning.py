"""`huisheng classifier retrain`, `comparisons` and `back`: how the classifier learns by itself, seen and steered by a person."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    WorkflowFailureError,
)
from temporalio.service import RPCError, RPCStatusCode

import db.comparisons
import db.models
from activities.learning import Learnt
from cli import learning_report as report
from cli.classifier_report import decides
from cli.looks import account
from cli.model_database import plainly, run
from db.pool import Pool
from db.sealing import KeyRing
from settings import Settings
from workflows.connection import connect
from workflows.schedules import LEARNING

_LOOK_EVERY = 0.2
_STARTS_WITHIN = 20.0
"""Seconds. Temporal starts what is triggered at once, or after a moment where it is busy."""


@click.command()
@click.option("--no-wait", is_flag=True, help="Only start it.")
def retrain(no_wait: bool) -> int:
    """Learn from the city's own decisions at once, as the schedule does at night; compare, and say what came of it."""
    with plainly():
        learnt = asyncio.run(_retrain(wait=not no_wait))
    if learnt is None:
        click.echo("It has started. `huisheng classifier comparisons` will say what came of it.")
        return 0
    click.echo(report.outcome(learnt))
    return 0


@click.command()
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="At most so many, the newest."
)
@click.option("--classes", is_flag=True, help="Also class by class.")
def comparisons(limit: int, classes: bool) -> None:
    """Show how new models did beside those in force, and who put which model into force why."""
    with plainly():
        found, activations = run(partial(_kept, limit))
        keys = KeyRing.from_text(Settings.from_environment().keys)
        lines = [*report.compared(found, with_classes=classes), *report.activated(activations, keys)]
    for line in lines:
        click.echo(line)


@click.command()
@click.option("--reason", default="", help="Why, for those who ask later. Kept encrypted.")
def back(reason: str) -> None:
    """Let what decided before decide again; once more, and it goes back one further."""
    with plainly():
        version = run(partial(_back, reason.strip() or None))
    click.echo(decides(version))
    click.echo("Retraining goes on: a new model takes over when it is no worse on enough decisions made from now on.")


async def _kept(limit: int, pool: Pool) -> tuple[list[db.comparisons.Comparison], list[db.models.Activation]]:
    return await db.comparisons.latest(pool, limit), (await db.models.activations(pool))[-limit:]


async def _back(reason: str | None, pool: Pool) -> str | None:
    keys = KeyRing.from_text(Settings.from_environment().keys)
    return await db.models.go_back(pool, keys, datetime.now(UTC), account=account(), reason=reason)


async def _retrain(*, wait: bool) -> Learnt | None:
    settings = Settings.from_environment()
    client = await connect(settings.temporal_address, KeyRing.from_text(settings.keys))
    try:
        started = await _triggered(client.get_schedule_handle(LEARNING))
        if not wait:
            return None
        click.echo("It learns. That takes seconds or minutes, and goes on if you press Ctrl-C.", err=True)
        return await _result(client, started)
    except TimeoutError:
        raise click.ClickException(
            "Temporal has started nothing yet. `huisheng classifier comparisons` will say whether it did."
        ) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise click.ClickException(f"Temporal does not answer as it should ({error.status.name}).") from None
        raise click.ClickException(
            "There is no schedule for learning yet. A worker makes it when it runs and a policy is loaded."
        ) from None


async def _triggered(schedule: ScheduleHandle) -> ScheduleActionExecutionStartWorkflow:
    """Has the schedule start a run, and says which; never a second one beside another."""
    before = (await schedule.describe()).info
    if before.running_actions:
        raise click.ClickException(
            "It is learning just now. `huisheng classifier comparisons` will say what came of it."
        )
    await schedule.trigger(overlap=ScheduleOverlapPolicy.SKIP)
    known = [each.action for each in before.recent_actions]
    async with asyncio.timeout(_STARTS_WITHIN):
        while True:
            started = [
                each.action for each in (await schedule.describe()).info.recent_actions if each.action not in known
            ]
            if started:
                assert isinstance(started[-1], ScheduleActionExecutionStartWorkflow)
                return started[-1]
            await asyncio.sleep(_LOOK_EVERY)


async def _result(client: Client, started: ScheduleActionExecutionStartWorkflow) -> Learnt:
    handle: Any = client.get_workflow_handle(
        started.workflow_id, first_execution_run_id=started.first_execution_run_id, result_type=Learnt
    )
    try:
        learnt: Learnt = await handle.result()
    except WorkflowFailureError as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        raise click.ClickException(
            f"It has failed: {cause} The run {started.workflow_id} in Temporal tells more."
        ) from None
    return learnt
