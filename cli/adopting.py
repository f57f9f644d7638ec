"""Requests in flight moved to another policy version, one after the other: chosen ones, or those that a holiday touches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from db import policies, texts, timeline, views
from db.ids import new_id
from db.pool import Pool
from db.sealing import KeyRing
from domain import commands as c
from domain.adoption import adoption_of, plan_adoption
from domain.errors import Invalid
from domain.lifecycle import Action
from domain.policy import Policy, from_plain, in_language, to_plain, version_of
from domain.request import Actor, Role, Snapshot
from workflows.contract import STAFF_UPDATES, ActionTaken, workflow_id


@dataclass(frozen=True)
class Adopted:
    """What came of one request: its due date before and after, or in plain words why it stayed as it was."""

    reference: str
    due_before: datetime | None = None
    due_after: datetime | None = None
    stays: str | None = None


@dataclass(frozen=True)
class Mover:
    """Who moves requests, and why. The reason is kept sealed beside each request; `name` stands in its timeline."""

    pool: Pool
    keys: KeyRing
    client: Client
    name: str
    reason: str

    async def move(self, references: Iterable[str], version: str) -> AsyncIterator[Adopted]:
        """Each of these requests to that version. What one of them refuses does not stop the others."""
        for reference in references:
            snapshot = await views.snapshot_by_reference(self.pool, reference)
            if snapshot is None:
                yield Adopted(reference, stays="there is no such request")
            elif snapshot.policy_version == version:
                yield Adopted(reference, stays="it stands under this version already")
            else:
                yield await self.moved(snapshot, version)

    async def moved(self, snapshot: Snapshot, version: str) -> Adopted:
        """One request to that version."""
        request_id = UUID(snapshot.request_id)
        text_id = new_id(datetime.now(UTC))
        await texts.keep(self.pool, self.keys, request_id, self.reason, datetime.now(UTC), text_id=text_id)
        command = c.AdoptPolicy(Actor("admin", self.name, (Role.ADMIN,)), version, str(text_id))
        handle = self.client.get_workflow_handle(workflow_id(snapshot.reference))
        try:
            await handle.execute_update(
                STAFF_UPDATES[Action.ADOPT_POLICY], command, id=f"adopt-{text_id}", result_type=ActionTaken
            )
        except (WorkflowUpdateFailedError, RPCError) as error:
            await texts.refuse(self.pool, [text_id], datetime.now(UTC))
            return Adopted(snapshot.reference, stays=_why(error))
        after = await views.snapshot(self.pool, request_id)
        return Adopted(snapshot.reference, snapshot.due_at, after.due_at)


def _why(error: WorkflowUpdateFailedError | RPCError) -> str:
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return "it is over"
    cause = error.cause if isinstance(error, WorkflowUpdateFailedError) else None
    return cause.message if isinstance(cause, ApplicationError) else "its run does not answer"


async def touched_by_calendar(pool: Pool, active: Policy) -> AsyncIterator[tuple[str, Snapshot, datetime | None]]:
    """The open requests whose due date the calendar in force moves: the version to adopt, the request, its new due date.

    That version is the request's own with nothing but the calendar changed; it is kept here, and never the one in force.
    """
    for version, _ in await policies.in_flight(pool):
        content = await policies.content_of(pool, version)
        if content is None:
            continue
        own = from_plain(content, version)
        if own.calendar == active.calendar:
            continue
        derived = replace(own, calendar=active.calendar)
        city = in_language(derived.city.name, derived.city.languages[0])
        assert derived.version == version_of(to_plain(derived))
        await policies.keep(pool, derived.version, city, to_plain(derived), datetime.now(UTC))
        for reference in await policies.references_under(pool, version):
            snapshot = await views.snapshot_by_reference(pool, reference)
            if snapshot is None or snapshot.due_at is None:
                continue
            due_at = await _due_under(pool, snapshot, derived)
            if due_at != snapshot.due_at:
                yield derived.version, snapshot, due_at


async def _due_under(pool: Pool, snapshot: Snapshot, policy: Policy) -> datetime | None:
    """The due date that the request would have; as it is where that version cannot say."""
    events = await timeline.events(pool, UUID(snapshot.request_id))
    try:
        plan = plan_adoption(policy, adoption_of(snapshot, events, policy.version, datetime.now(UTC)))
    except Invalid:
        return snapshot.due_at
    return plan.due_at
