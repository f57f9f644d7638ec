"""Finding out where a request is: the district of its point or of the place it names, or that it lies outside the city."""

from __future__ import annotations

from uuid import UUID

from temporalio import activity

from db import requests
from db.pool import Database
from db.sealing import KeyRing
from domain.classified import Located
from policies.jurisdictions import Jurisdictions
from policies.store import PolicyStore


class JurisdictionActivities:
    """Coordinates and addresses stay in the database; only the code of the district enters a workflow's history."""

    def __init__(self, database: Database, keys: KeyRing, policies: PolicyStore) -> None:
        self._database = database
        self._keys = keys
        self._policies = policies

    @activity.defn
    async def locate_request(self, request_id: str) -> Located:
        """The point decides where there is one; otherwise the district that place or address name."""
        stored = await requests.by_id(self._database, UUID(request_id))
        if stored is None:
            return Located()
        policy = await self._policies.active()
        jurisdictions = Jurisdictions.from_policy(policy)
        if stored.lat is not None and stored.long is not None:
            district = jurisdictions.district_at(stored.long, stored.lat)
            return Located(district, outside=district is None and bool(policy.districts))
        told = requests.told(self._keys, stored)
        return Located(jurisdictions.district_named(" ".join(filter(None, (stored.place, told.address)))))
