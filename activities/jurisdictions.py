"""Finding out where a request is: in which district or neighbouring city, by its point and by the names in its text."""

from __future__ import annotations

from uuid import UUID

from temporalio import activity

from db import requests
from db.pool import Database
from db.sealing import KeyRing, SealBroken
from domain.classified import Located
from policies.jurisdictions import Jurisdictions
from policies.store import PolicyStore

_AND = "；"
"""Between texts, so that no name begins in one and ends in the next."""


class JurisdictionActivities:
    """Coordinates and addresses stay in the database; only the code of the district enters a workflow's history."""

    def __init__(self, database: Database, keys: KeyRing, policies: PolicyStore) -> None:
        self._database = database
        self._keys = keys
        self._policies = policies

    @activity.defn
    async def locate_request(self, request_id: str) -> Located:
        """By the active policy; nothing is known of a request that is gone."""
        stored = await requests.by_id(self._database, UUID(request_id))
        try:
            return await self.locate(stored, requests.told(self._keys, stored) if stored is not None else None)
        except SealBroken:
            return await self.locate(stored, None)

    async def locate(self, stored: requests.StoredRequest | None, told: requests.Told | None) -> Located:
        """The same of a request that has been read; without `told` by its point alone, which is not sealed, and better than
        nothing."""
        if stored is None:
            return Located()
        jurisdictions = Jurisdictions.from_policy(await self._policies.active())
        if told is None:
            return jurisdictions.locate(stored.lat, stored.long)
        place = _AND.join(filter(None, (told.place, told.address)))
        text = _AND.join(filter(None, (told.title, told.description)))
        return jurisdictions.locate(stored.lat, stored.long, place=place, text=text)
