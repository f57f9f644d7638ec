"""The learning of the classifier as a procedure: one retraining with its comparison, started by a schedule or by command."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.learning import LearningActivities, Learnt, Retraining

_ONE_TRAINING = timedelta(hours=3)
"""Sixty thousand examples with many labels, while everything else goes before."""
_IS_ALIVE = timedelta(minutes=1)
_A_FEW_TIMES = RetryPolicy(
    initial_interval=timedelta(seconds=30), maximum_interval=timedelta(minutes=10), maximum_attempts=10
)
"""Until the database is back, or a worker that was training has ended. What fails so often waits for a week, or an admin."""


@workflow.defn
class LearningWorkflow:
    """The schedule never starts two at a time."""

    @workflow.run
    async def run(self, wanted: Retraining) -> Learnt:
        """What came of it."""
        learnt: Learnt = await workflow.execute_activity_method(
            LearningActivities.retrain,
            wanted,
            start_to_close_timeout=_ONE_TRAINING,
            heartbeat_timeout=_IS_ALIVE,
            retry_policy=_A_FEW_TIMES,
            summary="learn from the city's decisions, and compare with the model in force",
        )
        return learnt
