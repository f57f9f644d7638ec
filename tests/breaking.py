"""A workflow that breaks down with what it was given in every place where a failure can say it.

`python -m tests.breaking WORDS...` runs it on a worker of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from cli.logs import log_as_json
from db.sealing import KeyRing
from settings import Settings
from workflows.connection import connect


@activity.defn
async def break_down(said: str) -> str:
    if not said:
        return "whole"
    try:
        raise KeyError(said)
    except KeyError as error:
        raise ApplicationError(f"activity: {said}", said) from error


@workflow.defn(name="Breaks", sandboxed=False)
class BreaksWorkflow:
    """Fails if it is given something to say."""

    @workflow.run
    async def run(self, said: str) -> str:
        try:
            return await workflow.execute_activity(
                break_down,
                said,
                start_to_close_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            raise ApplicationError(f"run: {said}", said) from error


async def raise_all(said: Sequence[str]) -> None:
    """On a worker with the logs of ours, at the Temporal of the settings."""
    log_as_json()
    settings = Settings.from_environment()
    client, queue = await connect(settings.temporal_address, KeyRing.from_text(settings.keys)), f"breaks-{uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[BreaksWorkflow], activities=[break_down]):
        for each in said:
            with suppress(WorkflowFailureError):
                await client.execute_workflow(BreaksWorkflow.run, each, id=f"breaks-{uuid4()}", task_queue=queue)


if __name__ == "__main__":
    asyncio.run(raise_all(sys.argv[1:]))
    os._exit(0)
