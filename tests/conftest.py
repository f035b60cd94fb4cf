"""What every test may ask for."""

import asyncio
import os
import uuid
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings

from app.database import Database
from app.domain.api_key import Scope
from app.domain.instant import DAY, SECOND, Instant
from app.main import Opened, create_app
from app.operations.ledger import Ledger
from app.operations.manage_keys import create_key
from app.sealing.keys import MasterKey
from app.settings import Settings
from app.tables.grants import ROLE
from app.upgrade import upgrade
from tests.clean_databases import databases_of
from tests.postgres import Server, running_server
from tests.tamper_table import pytest_terminal_summary, tampered

__all__ = ["pytest_terminal_summary", "tampered"]

# No deadline: on a shared machine it measures the neighbours. Chance stays chance in CI: a failure prints the blob
# that repeats it (hypothesis' own "ci" profile, which this replaces, would try the same examples for ever).
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

NOON: Instant = 1_780_000_000 * SECOND  # 2026-05-28, some noon


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The two longest tests begin at once, side by side: xdist deals out the first half and the second."""
    longest = [item for item in items if item.name.startswith("test_the_laws_hold_under_random_histories")]
    others = [item for item in items if item not in longest]
    middle = len(others) // 2
    items[:] = [*longest[:1], *others[:middle], *longest[1:], *others[middle:]]


@dataclass
class Clock:
    """A clock that a test sets and moves; it stands still between."""

    now: Instant = NOON

    def __call__(self) -> Instant:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += int(days * DAY)


@dataclass
class Bench:
    """A ledger on a database of its own, with a clock that the test moves. `book` is open, `key_id` is its key's."""

    ledger: Ledger
    url: str
    clock: Clock
    book: str
    key_id: str
    token: str
    services: list[Opened] = field(default_factory=list)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """In few words, so that a failing example of a property test shows what else it was given."""
        printer.text(f"<bench on {self.url}>")

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """The API in this process, over the same ledger and clock, with the first key or another one."""
        service = Opened(Settings(database_url=self.url), ledger=self.ledger)
        self.services.append(service)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(service)),
            base_url="http://goodwill.test",
            headers={"Authorization": f"Bearer {token or self.token}"},
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of this test process (one for each xdist worker)."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    """A migrated database to clone, which is quicker than to migrate each."""
    asyncio.run(migrated(postgres.create_database("migrated")))
    return "migrated"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "goodwill.sqlite3"
    asyncio.run(migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database: each test that asks for one runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "goodwill.sqlite3"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
    else:
        server: Server = request.getfixturevalue("postgres")
        databases = databases_of(server, request.getfixturevalue("postgres_template"))
        name = databases.take()
        yield server.url(name)
        databases.give_back(name)


@pytest.fixture
async def bench(database_url: str) -> AsyncGenerator[Bench]:
    """An open book on a database of its own."""
    opened = await open_bench(database_url)
    yield opened
    await opened.ledger.database.close()


async def open_bench(url: str) -> Bench:
    """A book on a migrated database, whose connections the caller closes."""
    clock = Clock()
    ledger = started(url, MasterKey(os.urandom(32)), clock)
    key, token = await create_key(ledger, "acme", name="tests", scopes=[Scope.ADMIN], source="crm")
    return Bench(ledger=ledger, url=url, clock=clock, book="acme", key_id=key.key_id, token=token.text)


def started(url: str, master_key: MasterKey, clock: Clock) -> Ledger:
    """The services of a process that starts on a database."""
    database = Database(url, role=ROLE)
    return Ledger(database=database, master_key=master_key, now=clock, new_id=uuid.uuid4, entropy=os.urandom)  # noqa: TID251 - a root of its own


async def migrated(url: str) -> None:
    """Make the schema of this release."""
    database = Database(url, role=ROLE)
    await upgrade(database)
    await database.close()
