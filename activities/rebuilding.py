"""Finding out where a lost run stood, for the run that takes its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog
from temporalio import activity

from db import rebuilding
from db.pool import Database
from domain.missed import Parent
from domain.policy import Policy
from domain.rebuilding import Found, rebuild, reopen_until, versions_of
from domain.rebuilt import Rebuilt

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RebuildRun:
    """Which request, and the moment from which its clocks run on."""

    request_id: str
    at: datetime


class Policies(Protocol):
    """What a timeline needs to be told again."""

    async def version(self, version: str) -> Policy: ...


class RebuildingActivities:
    """Reads the read model, and gives the inbox back what the lost run never took."""

    def __init__(self, database: Database, policies: Policies) -> None:
        self._database = database
        self._policies = policies

    @activity.defn
    async def rebuild_run(self, wanted: RebuildRun) -> Rebuilt:
        """Where the run goes on. Repeated, it finds the same; a message that comes twice then is told by its inbox id."""
        request_id = UUID(wanted.request_id)
        rebuilt = await self.rebuilt(request_id, wanted.at)
        again = await rebuilding.put_back(self._database, request_id, rebuilt.heard_up_to)
        logger.info("run_rebuilt", reference=rebuilt.snapshot.reference, state=rebuilt.snapshot.state, again=again)
        return rebuilt

    async def rebuilt(self, request_id: UUID, now: datetime) -> Rebuilt:
        """The same without touching anything."""
        found = await rebuilding.found(self._database, request_id, now)
        if found.parent is not None:
            found = replace(found, parent=await self._with_end(found.parent))
        policies = await self._policies_of(found)
        return rebuild(policies, found, now)

    async def _with_end(self, parent: Parent) -> Parent:
        version = parent.snapshot.policy_version
        if version is None:
            return parent
        return replace(parent, reopen_until=reopen_until(await self._policies.version(version), parent.snapshot))

    async def _policies_of(self, found: Found) -> dict[str, Policy]:
        needed = versions_of(found.snapshot, found.events)
        return {version: await self._policies.version(version) for version in needed}
