"""What tests on a real database share: an empty migrated one, a pool on it, and a key ring."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest

from db.pool import Pool, open_pool
from db.sealing import KeyRing
from tests.conftest import FreshDatabase


@pytest.fixture
def database_url(fresh_database: FreshDatabase) -> str:
    return fresh_database()


@pytest.fixture(scope="module")
def shared_database_url(fresh_database: FreshDatabase) -> str:
    """One database for all tests of a file that count nothing in it."""
    return fresh_database()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url, size=8) as opened:
        yield opened


@pytest.fixture(scope="session")
def keys() -> KeyRing:
    return KeyRing.from_text("test:" + base64.b64encode(bytes(range(32))).decode())
