"""The erasing of personal data as a procedure: batch after batch, until nothing is left that is due."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.retention import RetentionActivities, Sweep, Swept

_ONE_BATCH = timedelta(minutes=5)
_UNTIL_THE_DATABASE_IS_BACK = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=10))


@workflow.defn
class RetentionWorkflow:
    """Started by a schedule. What one run does not reach, the next one finds again."""

    @workflow.run
    async def run(self, sweep: Sweep) -> int:
        """How many requests were erased."""
        while True:
            swept: Swept = await workflow.execute_activity_method(
                RetentionActivities.erase_due,
                sweep,
                start_to_close_timeout=_ONE_BATCH,
                retry_policy=_UNTIL_THE_DATABASE_IS_BACK,
                summary="erase what was demanded" if sweep.demands_only else "erase what was kept long enough",
            )
            if swept.next is None:
                return sweep.erased + swept.erased
            sweep = swept.next
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(sweep)
