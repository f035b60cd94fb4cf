"""These tests have a PostgreSQL of their own, which they may kill: what it committed is then on the disk."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from app.main import clock
from tests.conftest import Bench, migrated
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with closing(Postgres(settings={"fsync": "on", "full_page_writes": "on"})) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    asyncio.run(migrated(postgres.create_database("migrated")))
    return "migrated"


@pytest.fixture
def live(bench: Bench) -> Bench:
    """The bench by the clock of the machine, as the processes beside it, with webhooks allowed on this machine."""
    return replace(bench, ledger=replace(bench.ledger, now=clock, allow_loopback=True))
