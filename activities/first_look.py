"""The first look at a request: what it is about, where it is and who is in charge, from one reading of what the citizen wrote."""

from __future__ import annotations

from uuid import UUID

import structlog
from temporalio import activity

from activities.classification import ClassificationActivities
from activities.jurisdictions import JurisdictionActivities
from activities.planning import PlanningActivities
from db import requests
from db.pool import Database
from db.sealing import KeyRing
from domain.classified import Assignment, AssignmentWanted, FirstLook, Located, LookWanted

logger = structlog.get_logger(__name__)


class FirstLookActivities:
    """Opens the sealed text once for both questions; no text enters a workflow's history."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        classification: ClassificationActivities,
        jurisdictions: JurisdictionActivities,
        planning: PlanningActivities,
    ) -> None:
        self._database = database
        self._keys = keys
        self._classification = classification
        self._jurisdictions = jurisdictions
        self._planning = planning

    @activity.defn
    async def look_and_assign(self, wanted: LookWanted) -> Assignment:
        """Where the request goes and by when; to triage, with the reason, where a rule cannot be applied."""
        look = await self.look_at_request(wanted.request_id)
        return await self._planning.assign_department(
            AssignmentWanted(wanted.reference, wanted.at, look.classified, look.located)
        )

    @activity.defn
    async def look_at_request(self, request_id: str) -> FirstLook:
        """What and where. Where only the place cannot be found out, it stays open: that is no reason to know nothing of the matter."""
        stored = await requests.by_id(self._database, UUID(request_id))
        told = requests.told(self._keys, stored) if stored is not None else None
        classified = await self._classification.classify(stored, told)
        try:
            located = await self._jurisdictions.locate(stored, told)
        except Exception as error:
            # Without the error's text: it can hold anything.
            logger.warning("place_not_found_out", error=type(error).__qualname__)
            located = Located()
        return FirstLook(classified, located)
