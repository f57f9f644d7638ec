"""The steps of the procedure that reach outside: each an activity, with how long it may take and how often it is tried.

Steps on our own database are local activities: they cost one line of history and are tried until they succeed, because
a request must never be lost to an outage of the database. A remote activity takes what a stranger's gateway does, and the
turns of clocks, which must stand in the history before they stand in the database (docs/decisions/0011 and 0022).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.classification import ClassificationActivities
    from activities.first_look import FirstLookActivities
    from activities.jurisdictions import JurisdictionActivities
    from activities.notices import TEMPORARY_FAILURE, NoticeActivities, SendNotices, SentNotices
    from activities.read_model import KeepText, Place, ReadModelActivities
    from activities.rebuilding import RebuildingActivities, RebuildRun
    from domain.classified import Assignment, Classified, FirstLook, Located, LookWanted
    from domain.planned import FeedbackWanted, Planned
    from domain.procedure import not_applied
    from domain.rebuilt import Rebuilt
    from domain.record import Entry, Record, Recorded
    from domain.request import Act, Actor, Turn
    from workflows.contract import NOTICES_QUEUE, ONE_FIRST_LOOK, PLANNED_ON_THE_WAY
    from workflows.course import Course
    from workflows.other_runs import OtherRuns
    from workflows.policy_steps import FAILED, OWN_DATABASE, PAUSES_IN_TASK, UNTIL_IT_SUCCEEDS, PolicySteps

# About two minutes; whatever still fails then is no outage.
_FIRST_LOOK = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=1), maximum_attempts=10
)
_AT_ONCE_OR_LATER = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_attempts=3, non_retryable_error_types=[TEMPORARY_FAILURE]
)
_GATEWAY = timedelta(seconds=90)
_PATIENTLY = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=10))
_GATEWAY_GIVES_UP = timedelta(days=2)


Wanted = TypeVar("Wanted")
Found = TypeVar("Found")
_UNCLASSIFIED = Classified(None, 0.0, decided_by="failed")

Again = Callable[[], Awaitable[tuple[Turn, Planned]]]
"""Makes a turn with its plan."""


class Behind(Exception):
    """An attempt that this run does not remember has recorded an act: it comes first."""

    def __init__(self, act: Act) -> None:
        super().__init__(act.action)
        self.act = act


class Steps(PolicySteps):
    """What the procedure has done for it outside the workflow, for the request whose course it is given."""

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        self.other_runs = OtherRuns(course)
        self._by_gateway = False
        self._send_again = False

    async def first_look(self, located: bool) -> Assignment:
        """What it is about, where it is, who is in charge and by when; what cannot be found out is left to a person."""
        if self.course.procedure < PLANNED_ON_THE_WAY:
            look = await self._look(located)
            return await self.assign_department(look.classified, look.located)
        snapshot = self.course.snapshot
        assigned = await self._found_out(
            FirstLookActivities.look_and_assign,
            LookWanted(snapshot.request_id, snapshot.reference, self.course.now()),
            "what is it about, where, and who is in charge by when",
        )
        return assigned or await self.assign_department(_UNCLASSIFIED, await self.locate(located))

    async def _look(self, located: bool) -> FirstLook:
        request_id = self.course.snapshot.request_id
        if self.course.procedure < ONE_FIRST_LOOK:
            return FirstLook(await self.classify(), await self.locate(located))
        found = await self._found_out(FirstLookActivities.look_at_request, request_id, "what is it about, and where")
        return found or FirstLook(_UNCLASSIFIED, await self.locate(located))

    async def classify(self) -> Classified:
        """What it is about; nothing known where that cannot be found out, so that a person decides."""
        request_id = self.course.snapshot.request_id
        found = await self._found_out(ClassificationActivities.classify_request, request_id, "what is it about")
        return found or _UNCLASSIFIED

    async def locate(self, located: bool) -> Located:
        """The district of the place that was given, if one was; none where that cannot be found out."""
        if not located:
            return Located()
        request_id = self.course.snapshot.request_id
        return await self._found_out(JurisdictionActivities.locate_request, request_id, "where is it") or Located()

    async def _found_out(
        self, look: Callable[[Any, Wanted], Awaitable[Found]], wanted: Wanted, summary: str
    ) -> Found | None:
        try:
            return await workflow.execute_local_activity_method(
                look,
                wanted,
                start_to_close_timeout=OWN_DATABASE,
                retry_policy=_FIRST_LOOK,
                local_retry_threshold=PAUSES_IN_TASK,
                summary=summary,
            )
        except FAILED:
            return None

    async def record(self, *turns: Turn, planned: Planned = None, again: Again | None = None) -> Planned:
        """Take the turns: events, snapshot and owed notices are written in one transaction, then the notices go out.

        What an attempt that this run does not remember has written counts, with the moment at which it was: it may have been
        read and sent. `again` makes the turn and its plan once more as of that moment; the plan that counts is returned.
        Raises Behind where such an attempt has recorded an act in this place.
        """
        last = turns[-1]
        entries = tuple(Entry(turn.event, turn.notices) for turn in turns)
        act = replace(self.course.asked, at=last.event.at) if self.course.asked else None
        recorded = await self._recorded(
            Record(last.snapshot, entries, act, feedback=isinstance(planned, FeedbackWanted)),
            ", ".join(turn.event.action for turn in turns),
        )
        if recorded.ahead is not None:
            raise Behind(recorded.ahead)
        if again is not None and recorded.stands is not None and recorded.stands.updated_at != last.event.at:
            with self.course.at(recorded.stands.updated_at):
                last, planned = await again()
            turns = (*turns[:-1], last)
        if isinstance(planned, FeedbackWanted):
            # Better a task that fails and rings than a request that nobody ever closes.
            assert recorded.feedback is not None
            planned = recorded.feedback
        before = self.course.snapshot
        self.course.follow((*turns[:-1], replace(last, snapshot=recorded.stands or last.snapshot)), planned)
        await self.other_runs.hear_of(before, turns)
        await self._send(recorded)
        return planned

    async def _recorded(self, taken: Record, summary: str) -> Recorded:
        if self.course.repeatable:
            return await workflow.execute_local_activity_method(
                ReadModelActivities.record,
                taken,
                start_to_close_timeout=OWN_DATABASE,
                retry_policy=UNTIL_IT_SUCCEEDS,
                local_retry_threshold=PAUSES_IN_TASK,
                summary=summary,
            )
        # The turn is in the history before it is in the database. Otherwise a task that is lost in between leaves
        # behind a turn that the run knows nothing of, and of which nothing is kept beside its event.
        return await workflow.execute_activity_method(
            ReadModelActivities.record,
            taken,
            start_to_close_timeout=OWN_DATABASE,
            retry_policy=UNTIL_IT_SUCCEEDS,
            summary=summary,
        )

    async def act_ahead(self) -> Act | None:
        """The act that an attempt which this run does not remember has recorded after the latest event it knows."""
        snapshot = self.course.snapshot
        return await workflow.execute_local_activity_method(
            ReadModelActivities.act_ahead,
            Place(snapshot.request_id, snapshot.sequence + 1),
            start_to_close_timeout=OWN_DATABASE,
            retry_policy=UNTIL_IT_SUCCEEDS,
            local_retry_threshold=PAUSES_IN_TASK,
            summary="what has been forgotten",
        )

    async def rebuild(self) -> Rebuilt:
        """Where the run stood that was lost."""
        return await workflow.execute_local_activity_method(
            RebuildingActivities.rebuild_run,
            RebuildRun(self.course.snapshot.request_id, workflow.now()),
            start_to_close_timeout=OWN_DATABASE,
            retry_policy=UNTIL_IT_SUCCEEDS,
            local_retry_threshold=PAUSES_IN_TASK,
            summary="where the lost run stood",
        )

    async def keep_text(self, body: str) -> str:
        """The id under which the database keeps a text that came in a signal."""
        return await workflow.execute_local_activity_method(
            ReadModelActivities.keep_text,
            KeepText(self.course.snapshot.request_id, body),
            start_to_close_timeout=OWN_DATABASE,
            retry_policy=UNTIL_IT_SUCCEEDS,
            local_retry_threshold=PAUSES_IN_TASK,
            summary="keep the text",
        )

    async def note(self, action: str, by: Actor, reason: str, text: str | None = None) -> None:
        """What a signal asked for could not be done: a line in the timeline, never a failure."""
        await self.record(not_applied(self.course.snapshot, action, by, self.course.now(), reason, text))

    async def send_held(self) -> None:
        """Quiet hours are over."""
        await self._send(Recorded(owed=1, by_gateway=self._by_gateway))

    async def _send(self, recorded: Recorded) -> None:
        self._by_gateway = recorded.by_gateway
        self._hold(recorded.held_until)
        if not recorded.owed or (not recorded.by_gateway and await self._sent_at_once()):
            return
        if self.course.sending and workflow.patched("one-way-to-the-gateway"):
            # A stream of messages while the gateway is away would pile up an activity for each.
            self._send_again = True
            return
        task = asyncio.create_task(self._send_in_background())
        self.course.sending.append(task)
        task.add_done_callback(self.course.sending.remove)

    async def _sent_at_once(self) -> bool:
        """False where something has to wait: nobody who acts on the request shall wait with it."""
        try:
            sent = await workflow.execute_local_activity_method(
                NoticeActivities.send_notices,
                SendNotices(self.course.snapshot.request_id, workflow.now()),
                start_to_close_timeout=OWN_DATABASE,
                retry_policy=_AT_ONCE_OR_LATER,
                summary="send the notices",
            )
        except FAILED:
            return False
        self._hold(sent.held_until)
        return True

    async def _send_in_background(self) -> None:
        """Nobody waits for a gateway. What has come to be owed on the way goes out after it."""
        await self._send_through_gateway()
        while self._send_again:
            self._send_again = False
            await self._send_through_gateway()

    async def _send_through_gateway(self) -> None:
        """What the gateway gives up, the sweep of unsent notices takes on."""
        try:
            sent: SentNotices = await workflow.execute_activity_method(
                NoticeActivities.send_notices,
                SendNotices(self.course.snapshot.request_id, workflow.now()),
                task_queue=NOTICES_QUEUE,
                start_to_close_timeout=_GATEWAY,
                schedule_to_close_timeout=_GATEWAY_GIVES_UP,
                retry_policy=_PATIENTLY,
                summary="send the notices",
            )
            self._hold(sent.held_until)
        except FAILED:
            workflow.logger.warning("notices of %s were not sent in time", self.course.snapshot.reference)

    def _hold(self, until: datetime | None) -> None:
        if until is not None:
            self.course.hold_notices_until(until)
