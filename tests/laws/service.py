"""The service in this process: one application over one database, which can be started anew."""

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import uvloop
from fastapi import FastAPI

from app.main import Opened, create_app
from app.settings import Settings
from tests.conftest import Bench, started


@dataclass(slots=True)
class Service:
    """The application over a bench's ledger and clock."""

    bench: Bench
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.app = self._created()

    def client(self, token: str) -> httpx.AsyncClient:
        """A caller with that key."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://goodwill.test",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def restart(self) -> None:
        """Another process takes over: a new ledger and a new application on the same database."""
        ledger = self.bench.ledger
        await ledger.database.close()
        self.bench.ledger = started(self.bench.url, ledger.master_key, self.bench.clock)
        self.app = self._created()

    def _created(self) -> FastAPI:
        return create_app(Opened(Settings(database_url=self.bench.url), ledger=self.bench.ledger))


@contextmanager
def running() -> Iterator[asyncio.Runner]:
    """A runner on uvloop, which is the quicker. Where its warning of a connection that was left open is an error, it
    does not close that connection, and waits for its end for ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", ResourceWarning)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            yield runner
