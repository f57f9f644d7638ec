"""What the tests of the whole system share: one live system, made whole again before each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.city import a_city
from tests.e2e.people import Caller, a_caller, hire
from tests.e2e.system import LiveSystem, a_live_system


@pytest.fixture(scope="session")
async def shared_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveSystem]:
    async with a_live_system(tmp_path_factory.mktemp("live") / "var", a_city()) as live:
        await hire(live)
        yield live


@pytest.fixture
async def live(shared_system: LiveSystem) -> AsyncIterator[LiveSystem]:
    """All parts run, with the small city's policy; whatever the test did to them is mended afterwards."""
    await shared_system.heal()
    await shared_system.adopt(a_city())
    yield shared_system
    await shared_system.heal()


@pytest.fixture
async def caller(live: LiveSystem) -> AsyncIterator[Caller]:
    caller = a_caller(live)
    async with caller.http:
        yield caller
