"""The composition root of the HTTP service: settings, clock and chance come in here."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import Receive, Scope, Send

from app import __version__
from app.api import (
    aliases,
    batch,
    checkpoints,
    customers,
    deliveries,
    docs,
    explanation,
    feed,
    health,
    interactions,
    merges,
    message_types,
    messages,
    openapi,
    personal_data,
    policy,
    problems,
    promises,
    receipt,
    sandbox,
    statement,
    tariff,
    webhooks,
    worklist,
)
from app.api.door import Door
from app.api.room import Room
from app.api.shortcuts import shortcut
from app.api.watch import Watch
from app.chance import chance
from app.database import Database
from app.domain.checkpoint import Rhythm
from app.domain.errors import MasterKeyMismatch
from app.domain.instant import Instant
from app.operations.intake import Intake
from app.operations.ledger import Ledger
from app.operations.lookups import Lookups
from app.queries.books import check_master_key, has_books
from app.sealing.keys import MasterKey
from app.sealing.master_key import FILE_NAME, create_master_key, parsed_master_key, read_master_key
from app.settings import Settings
from app.traces import NO_TRACES, Traces
from app.upgrade import upgrade

_RESOURCES = (
    *(interactions, batch, promises),
    *(customers, aliases, merges, personal_data, receipt, explanation, statement, worklist, feed),
    *(tariff, policy, message_types, messages, webhooks, deliveries, checkpoints, sandbox, health),
)
ROUTERS = (*(resource.router for resource in _RESOURCES), tariff.documents, policy.documents, customers.lookups)

# FastAPI's own spans hold the path and the query of a request, and so the names of customers: whatever the environment
# says, they are never made.
_NO_TELEMETRY: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}


def clock() -> Instant:
    """The present instant."""
    return time.time_ns() // 1000


def database_of(settings: Settings) -> Database:
    """The database of the settings; nobody connects yet."""
    return Database(settings.url, role=settings.role, owner_url=settings.database_owner_url)


def new_request_id() -> str:
    """A name for a request: 32 hexadecimal digits."""
    return chance(16).hex()


def ordered_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562, 6.2, method 3): after those made before, to 0.25 us, and 62 bits of chance.

    To the millisecond alone it would not do: an index that grows at its end alone has full pages.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    timed = milliseconds << 80 | 7 << 76 | (rest << 12) // 1_000_000 << 64
    return uuid.UUID(int=timed | 0b10 << 62 | int.from_bytes(chance(8)) >> 2)


class Opened:
    """A process's services: the database is migrated and the master key checked at the first use that succeeds."""

    def __init__(self, settings: Settings, *, ledger: Ledger | None = None, traces: Traces = NO_TRACES) -> None:
        self.settings = settings
        self.traces = traces
        self.database = database_of(settings) if ledger is None else ledger.database
        self._ledger = ledger
        self._intake: Intake | None = None
        self._lookups: Lookups | None = None
        self._preparing: asyncio.Task[Ledger] | None = None

    async def ledger(self) -> Ledger:
        """The ledger; raises DatabaseUnavailable or MasterKeyMismatch as long as it cannot be had.

        All who wait share one attempt and what it comes to. It may be migrating: it goes on when they go away.
        """
        if self._ledger is None:
            if self._preparing is None or self._preparing.done():
                self._preparing = asyncio.create_task(_prepared(self.settings, self.database, self.traces))
                self._preparing.add_done_callback(lambda task: task.cancelled() or task.exception())  # all may be gone
            self._ledger = await asyncio.shield(self._preparing)
        return self._ledger

    async def intake(self) -> Intake:
        """The intake over that ledger."""
        if self._intake is None:
            self._intake = Intake(await self.ledger())
        return self._intake

    async def lookups(self) -> Lookups:
        """The look-ups in that ledger."""
        if self._lookups is None:
            self._lookups = Lookups(await self.ledger())
        return self._lookups

    async def close(self) -> None:
        """Write what was taken in, give the connections back, and send what is left of traces."""
        if self._intake is not None:
            await self._intake.drained()
        await self.database.close()
        await asyncio.to_thread(self.traces.close)


class _Application(FastAPI):
    """Whoever comes goes through the door; to the busy routes without FastAPI's way there."""

    door: Door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = shortcut(scope) if scope["type"] == "http" else None
        if app is None:
            await super().__call__(scope, receive, send)
        else:
            await self.door.serve(scope, receive, send, app)


def create_app(
    service: Opened,
    *,
    beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext[None],
    watch: Watch | None = None,
) -> FastAPI:
    """The HTTP application over a process's services; it closes them when it ends.

    `beside` runs as long as it; `watch`, if there is one, writes down its requests.
    """

    app = _Application(
        title="Goodwill",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=partial(_living, service, beside),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry=_NO_TELEMETRY,
    )
    problems.install(app)
    app.door = Door(
        service=service,
        room=Room(service.settings.requests_max),
        new_request_id=new_request_id,
        per_second=service.settings.key_requests_per_second,
        watch=watch,
    )
    app.add_middleware(app.door.before)
    for router in ROUTERS:
        app.include_router(router)
    docs.install(app)
    openapi.install(app)
    return app


@asynccontextmanager
async def _living(
    service: Opened, beside: Callable[[], AbstractAsyncContextManager[None]], _app: FastAPI
) -> AsyncGenerator[None]:
    async with beside():
        yield
    await service.close()


async def _prepared(settings: Settings, database: Database, traces: Traces) -> Ledger:
    if database.is_sqlite and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
    await upgrade(database)
    async with database.oversee() as tx:
        master_key = _master_key(settings, is_embedded=database.is_sqlite, has_books=await has_books(tx))
        master_key = replace(master_key, others=settings.other_secrets)
        await check_master_key(tx, master_key)
    return Ledger(
        database=database,
        master_key=master_key,
        now=clock,
        new_id=uuid.uuid4,
        new_ordered_id=ordered_id,
        entropy=chance,
        allow_loopback=settings.webhooks_allow_loopback,
        rhythm=Rhythm(settings.checkpoint_entries, settings.checkpoint_minutes),
        traces=traces,
    )


def _master_key(settings: Settings, *, is_embedded: bool, has_books: bool) -> MasterKey:
    """The settings' key or the one kept beside the embedded database; a new one only for a database without books."""
    if settings.master_key is not None:
        return parsed_master_key(settings.master_key.get_secret_value())
    folder = settings.key_folder
    kept = read_master_key(folder) if is_embedded else None
    if kept is not None:
        return kept
    if not is_embedded:
        raise MasterKeyMismatch("Set GOODWILL_MASTER_KEY: 32 random bytes in base64, the same for every process.")
    if has_books:
        raise MasterKeyMismatch(
            f"The database holds sealed data, but {FILE_NAME} is not beside it: restore the file or set "
            "GOODWILL_MASTER_KEY. A new key would not open what is there."
        )
    try:
        return create_master_key(folder, entropy=os.urandom)
    except FileExistsError:
        return _master_key(settings, is_embedded=is_embedded, has_books=has_books)
