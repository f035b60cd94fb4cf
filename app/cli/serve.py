"""`goodwill serve`: the HTTP service; the first start prints a key and a story to paste."""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import uvicorn

from app.api.protocol import protocol_with_problems
from app.cli.logs import greet, log_to_stderr, traces_of, watch_of
from app.cli.session import FIRST_BOOK, fail, run, settings_or_exit
from app.deliverer import deliverer_running
from app.domain.api_key import Scope
from app.domain.errors import Refusal
from app.domain.instant import moment_of
from app.garbage import give_large_back, giving_small_back, leave_alone_what_stays
from app.main import Opened, clock, create_app, new_request_id
from app.operations.ledger import Ledger
from app.operations.manage_keys import create_key
from app.queries.keys import count_keys
from app.settings import Settings
from app.worker import clock_running

KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 20
THREADS_MAX = 1  # more do no more: what they do needs the interpreter, and each keeps some memory of the largest batch

_STORY = """\
The first key of book {book}, shown this once:

  {token}

The first story: a failure, a long wait, and a gift that nobody had to ask for.

  {post} '{{"id":"story-1","customer":"ada@example.com","kind":"product.failed","value_at":"{failed_at}"}}'
  {post} '{{"id":"story-2","customer":"ada@example.com","kind":"wait.excessive","value_at":"{waited_at}"}}'
  {post} '{{"id":"story-3","customer":"ada@example.com","kind":"moment.unexpected_gift"}}'
  curl -s {url}/v1/customers/ada@example.com -H "Authorization: Bearer {token}"
"""
_POST = 'curl -s {url}/v1/interactions -H "Authorization: Bearer {token}" -H "Content-Type: application/json" -d'


def serve() -> None:
    """Serve the API, run the clock, deliver; migrates the database first, and prints a first key if there is none."""
    run(_serve(settings_or_exit()))


async def _serve(settings: Settings) -> None:
    log_to_stderr(settings)
    service = Opened(settings, traces=traces_of(settings))
    watch = watch_of(settings, service.traces)
    try:
        await _greet(settings, service)
    except Refusal as refusal:
        greet(settings, f"Not ready: {refusal.detail}")
    give_large_back()
    leave_alone_what_stays()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS_MAX))
    config = uvicorn.Config(
        create_app(service, beside=partial(_beside, settings, service), watch=watch),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        log_config=None,  # its lines go where ours go
        http=protocol_with_problems(new_request_id, watch=watch),
        access_log=False,  # it would hold the names of customers
        proxy_headers=False,  # nobody here asks who the caller is but by its key
        server_header=False,
        ws="none",  # else any library of web sockets that happens to be there would answer past the door
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    await uvicorn.Server(config).serve()


@asynccontextmanager
async def _beside(settings: Settings, service: Opened) -> AsyncGenerator[None]:
    """What runs beside the service, in its process."""
    async with AsyncExitStack() as running:
        await running.enter_async_context(giving_small_back())
        if settings.clock:
            await running.enter_async_context(clock_running(service.ledger))
        if settings.deliverer:
            await running.enter_async_context(deliverer_running(service.ledger))
        yield


async def _greet(settings: Settings, service: Opened) -> None:
    """Say where the service listens; the first time on this machine, with a key and a story."""
    ledger = await service.ledger()
    async with ledger.database.oversee() as tx:
        has_keys = await count_keys(tx) > 0
    if not has_keys and not is_loopback(settings.host):
        fail(f"no key exists yet: create one (goodwill keys create) before listening on {settings.host}")
    url = f"http://{settings.host}:{settings.port}"
    greet(settings, f"Goodwill listens on {url}  (documentation: {url}/docs)")
    if not has_keys:
        print(f"\n{await _first_story(ledger, url)}", flush=True)


async def _first_story(ledger: Ledger, url: str) -> str:
    _, token = await create_key(ledger, FIRST_BOOK, name="first", scopes=[Scope.ADMIN], source="story")
    now = moment_of(clock()).replace(microsecond=0)
    return _STORY.format(
        book=FIRST_BOOK,
        token=token.text,
        url=url,
        post=_POST.format(url=url, token=token.text),
        failed_at=(now - timedelta(days=14)).isoformat().replace("+00:00", "Z"),
        waited_at=(now - timedelta(days=7)).isoformat().replace("+00:00", "Z"),
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
