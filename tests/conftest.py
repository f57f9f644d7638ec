"""The servers that tests share: one PostgreSQL and one Temporal for the whole session, both real."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator

import hypothesis
import pytest

from supervision.postgres import PostgresServer
from supervision.temporal import TemporalServer
from tests.servers import a_postgres_server, a_temporal_server

FreshDatabase = Callable[[], str]

# The same examples on every run, however slow the machine is: what fails was broken by a change, and not by chance.
hypothesis.settings.register_profile(
    "the same", derandomize=True, database=None, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("the same")


def pytest_unconfigure() -> None:
    # Temporal's client can abort the interpreter while it takes itself apart (temporalio/sdk-python#300);
    # a moment's rest lets its threads finish first.
    gc.collect()
    time.sleep(0.2)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with a_postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database without tables; tests that want tables take `fresh_database`."""
    return postgres_server.url("postgres")


@pytest.fixture(scope="session")
def fresh_database(postgres_server: PostgresServer) -> FreshDatabase:
    """Call it for the address of a new, migrated, empty database: a copy of one that was migrated once."""
    from db.migrations import migrate

    postgres_server.make_database("template_migrated")
    migrate(postgres_server.url("template_migrated"))
    numbers = itertools.count(1)

    def make() -> str:
        name = f"test_{next(numbers)}"
        postgres_server.make_database(name, template="template_migrated")
        return postgres_server.url(name)

    return make


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """A development server with our search attributes; its `address` and the namespace "default" reach it."""
    with a_temporal_server(tmp_path_factory.mktemp("temporal")) as server:
        yield server
