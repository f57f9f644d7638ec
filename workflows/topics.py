"""The look for hot topics as a procedure: find them, keep them, tell the supervisors of each spike."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.notices import NoticeActivities, SendNotices
    from activities.topics import Look, Looked, TopicActivities
    from workflows.contract import NOTICES_QUEUE

_ONE_LOOK = timedelta(minutes=10)
_UNTIL_THE_DATABASE_IS_BACK = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=10))
_GATEWAY, _GATEWAY_GIVES_UP = timedelta(minutes=2), timedelta(hours=1)


@workflow.defn
class TopicsWorkflow:
    """Started by a schedule."""

    @workflow.run
    async def run(self, look: Look) -> int:
        """How many spikes the supervisors are told of."""
        looked: Looked = await workflow.execute_activity_method(
            TopicActivities.find_topics,
            look,
            start_to_close_timeout=_ONE_LOOK,
            retry_policy=_UNTIL_THE_DATABASE_IS_BACK,
            summary="find what many write about",
        )
        for request_id in looked.carriers:
            await self._send(request_id)
        return len(looked.carriers)

    async def _send(self, request_id: str) -> None:
        """What the gateway gives up, the sweep of unsent notices takes on."""
        try:
            await workflow.execute_activity_method(
                NoticeActivities.send_notices,
                SendNotices(request_id),
                task_queue=NOTICES_QUEUE,
                start_to_close_timeout=_GATEWAY,
                schedule_to_close_timeout=_GATEWAY_GIVES_UP,
                summary="warn the supervisors",
            )
        except ActivityError:
            workflow.logger.warning("notices of a spike were not sent in time")
