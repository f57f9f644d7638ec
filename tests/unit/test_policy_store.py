"""The policies at hand: asked for often, fetched seldom, and never lost because the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.calendar import Period
from domain.policy import Policy, to_plain
from policies.store import FRESH_SECONDS, NoPolicy, PolicyStore
from tests.calendars import local
from tests.city import a_city

NIGHT = (Period.parse("21:00-24:00"), Period.parse("00:00-08:00"))
OLD, NEW = a_city(), a_city(quiet_hours=NIGHT)


class Shelf:
    """Where policies are kept, with a clock, a count of what was asked, and a switch to be away."""

    def __init__(self, *policies: Policy) -> None:
        self.contents: dict[str, dict[str, Any]] = {policy.version: to_plain(policy) for policy in policies}
        self.active = policies[0].version if policies else None
        self.now = 1000.0
        self.away = False
        self.asked: list[str] = []

    async def active_version(self) -> str | None:
        self.asked.append("active")
        await asyncio.sleep(0)
        if self.away:
            raise OSError("away")
        return self.active

    async def content_of(self, version: str) -> Mapping[str, Any] | None:
        self.asked.append(version)
        if self.away:
            raise OSError("away")
        return self.contents.get(version)

    def store(self) -> PolicyStore:
        return PolicyStore(self.active_version, self.content_of, lambda: self.now)


async def test_active_policy_is_fetched_once_for_many() -> None:
    shelf = Shelf(OLD)
    store = shelf.store()
    found = await asyncio.gather(*(store.active() for _ in range(50)))
    assert set(found) == {OLD}
    assert shelf.asked == ["active", OLD.version]


async def test_new_active_policy_is_noticed_when_the_old_one_is_not_fresh_any_more() -> None:
    shelf = Shelf(OLD, NEW)
    store = shelf.store()
    assert await store.active() == OLD
    shelf.active = NEW.version
    shelf.now += FRESH_SECONDS - 0.1
    assert await store.active() == OLD
    shelf.now += 0.1
    assert await store.active() == NEW


async def test_version_is_parsed_once_for_good() -> None:
    shelf = Shelf(OLD, NEW)
    store = shelf.store()
    assert await store.version(NEW.version) is await store.version(NEW.version)
    assert shelf.asked == [NEW.version]


async def test_last_policy_is_kept_while_the_database_is_away() -> None:
    shelf = Shelf(OLD)
    store = shelf.store()
    await store.active()
    shelf.away = True
    shelf.now += 3600
    assert await store.active() == OLD


async def test_last_policy_is_kept_when_the_new_one_cannot_be_read() -> None:
    shelf = Shelf(OLD)
    store = shelf.store()
    await store.active()
    shelf.contents["damaged"] = {"city": "?"}
    shelf.active = "damaged"
    shelf.now += 3600
    assert await store.active() == OLD


async def test_without_any_policy_the_reason_is_said() -> None:
    with pytest.raises(NoPolicy, match="huisheng policy load"):
        await Shelf().store().active()
    with pytest.raises(NoPolicy, match="no policy of version beef"):
        await Shelf(OLD).store().version("beef")


async def test_first_look_fails_openly_and_the_next_one_tries_again() -> None:
    shelf = Shelf(OLD)
    shelf.away = True
    store = shelf.store()
    with pytest.raises(OSError, match="away"):
        await store.active()
    shelf.away = False
    assert await store.active() == OLD


async def test_quiet_hours_are_those_of_the_version_a_request_stands_under() -> None:
    shelf = Shelf(OLD, NEW)
    store = shelf.store()
    night = local("Fri 2026-03-06 23:00")
    assert await store.quiet_until(None, night) is None
    assert await store.quiet_until(NEW.version, night) == night + timedelta(hours=9)
