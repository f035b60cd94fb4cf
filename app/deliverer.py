"""The composition root of the deliverer: a loop that sleeps until something is due, and a pump for each subscription.

A pump claims, sends and records for its subscription alone, so that one whose receiver is slow or gone delays no other.
"""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from prometheus_client import Counter, Gauge

from app.domain.errors import Refusal
from app.domain.instant import SECOND, Instant
from app.operations.keep_tidy import Backlog, backlog, keep_tidy
from app.operations.ledger import Ledger
from app.pump import Pump, Room
from app.queries.census import census
from app.queries.deliveries import due_by_subscription
from app.webhooks.send import Sender

logger = logging.getLogger("goodwill.deliverer")

OpenedLedger = Callable[[], Awaitable[Ledger]]
_T = TypeVar("_T")

SLEEP_MAX: Instant = 5 * SECOND  # what another process wrote is seen by then
GATHER_SECONDS = 0.02  # on a busy book every append writes messages: whoever wrote one looks for some
TIDY_SECONDS = 5.0
SHOWN_EVERY = 6  # rounds of tidying: counting what is queued takes a while when much is
CENSUS_EVERY = 60  # the same: it looks at every account
REST_SECONDS = 0.25  # for a subscription whose due deliveries another worker has
OUTAGE_SECONDS_MIN, OUTAGE_SECONDS_MAX = 0.25, 15.0
STOP_SECONDS = 5.0  # for what is in flight, when the process is stopped: most supervisors kill it after 10
GIVE_BACK_SECONDS = 2.0
REMEMBERED_MAX = 10_000  # subscriptions; the one that sent longest ago is forgotten

pending = Gauge("goodwill_deliveries_pending", "Deliveries that are due or will be; NaN: no deliverer here")
held = Gauge("goodwill_deliveries_held", "Deliveries whose subscription is paused or disabled; NaN: no deliverer here")
oldest_seconds = Gauge(
    "goodwill_deliveries_oldest_seconds", "Age of the oldest pending delivery; NaN: no deliverer here"
)
lag_seconds = Gauge(
    "goodwill_deliverer_lag_seconds", "How long the earliest due delivery has waited; NaN: no deliverer here"
)
standings = Gauge("goodwill_accounts", "Accounts by their stored standing", ("book", "standing"))
disabled = Gauge("goodwill_subscriptions_disabled", "Subscriptions that are disabled; NaN: no deliverer here")
summaries = Counter("goodwill_cause_summaries", "Summaries written in place of a flood of messages")
for _gauge in (pending, held, oldest_seconds, lag_seconds, disabled):
    _gauge.set(math.nan)


@asynccontextmanager
async def deliverer_running(opened: OpenedLedger, *, stop_seconds: float = STOP_SECONDS) -> AsyncGenerator[None]:
    """The deliverer runs beside what is done in the block."""
    running = asyncio.create_task(run_deliverer(opened, stop_seconds=stop_seconds))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def run_deliverer(opened: OpenedLedger, *, stop_seconds: float = STOP_SECONDS) -> None:
    """Deliver in every book what is due, until cancelled; then wait so long for what is in flight."""

    async def deliver() -> None:
        ledger = await _outlasting("the deliverer", opened)
        async with Sender(resolve=ledger.resolve, allow_loopback=ledger.allow_loopback) as sender:
            await Deliverer(ledger, sender, stop_seconds).run()

    await _for_ever("the deliverer", deliver)


async def _for_ever(name: str, once: Callable[[], Awaitable[None]]) -> None:
    """Again and again, until cancelled."""
    while True:
        await _outlasting(name, once)


async def _outlasting(name: str, once: Callable[[], Awaitable[_T]]) -> _T:
    """What it comes to when it succeeds; an outage is told once and waited out."""
    outages = 0
    while True:
        try:
            done = await once()
        except Exception as error:  # noqa: BLE001 - told once; whatever it is, the deliverer goes on
            if outages == 0:
                _tell(name, error)
            await asyncio.sleep(min(OUTAGE_SECONDS_MIN * 2**outages, OUTAGE_SECONDS_MAX))
            outages = min(outages + 1, 10)
        else:
            if outages:
                logger.warning("%s runs again", name)
            return done


def _tell(name: str, error: Exception) -> None:
    if isinstance(error, Refusal):
        logger.warning("%s stands still: %s", name, error.detail)
    else:
        logger.error("%s stands still", name, exc_info=error)


@dataclass(frozen=True, slots=True)
class _Past:
    """Of a subscription: when to look at it again at the soonest, and whether its receiver took what was sent last."""

    rests_until: float
    took: bool


_UNKNOWN = _Past(0.0, took=False)


class Deliverer:
    """All pumps of a process. `run` never returns; cancelled, it leaves nothing under way behind, if it can."""

    def __init__(self, ledger: Ledger, sender: Sender, stop_seconds: float) -> None:
        self._ledger = ledger
        self._sender = sender
        self._stop_seconds = stop_seconds
        self._room = Room()
        self._rounds = 0
        self._pumps: dict[tuple[str, UUID], tuple[Pump, asyncio.Task[None]]] = {}
        self._past: dict[tuple[str, UUID], _Past] = {}

    async def run(self) -> None:
        """Start a pump wherever something is due; look after the rest now and then.

        An outage of either leaves the pumps alone: they know what is in flight, and what is still to be recorded.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_for_ever("the deliverer", self._look))
                tasks.create_task(_for_ever("the deliverer's tidying", self._tidy))
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Claim no more; record what is answered soon, give back the rest. What even that does not reach waits for the
        end of its lease."""
        pumps = list(self._pumps.values())
        for pump, _ in pumps:
            pump.stop()
        await _ended(pumps, self._stop_seconds)
        for pump, _ in pumps:
            pump.hang_up()
        await _ended(pumps, GIVE_BACK_SECONDS)
        for _, task in pumps:
            task.cancel()

    async def _look(self) -> None:
        self._ledger.soon_deliver.clear()
        async with self._ledger.database.oversee() as tx:
            dues = await due_by_subscription(tx)
        now = self._ledger.now()
        lag_seconds.set(max(0, now - min(dues.values(), default=now)) / SECOND)
        earliest = self._start(dues)
        with suppress(TimeoutError):
            async with asyncio.timeout(earliest / SECOND):  # wait_for may swallow a cancellation
                await self._ledger.soon_deliver.wait()
                await asyncio.sleep(GATHER_SECONDS)

    def _start(self, dues: dict[tuple[str, UUID], Instant]) -> Instant:
        """Start or wake the pump of each subscription of which something is due; how long until another is."""
        now, present = self._ledger.now(), asyncio.get_running_loop().time()
        earliest = SLEEP_MAX
        for name, due_at in dues.items():
            if name in self._pumps:
                self._pumps[name][0].wake()
                continue
            past = self._past.get(name, _UNKNOWN)
            wait = max(due_at - now, int((past.rests_until - present) * SECOND))
            if wait > 0:
                earliest = min(earliest, wait)
                continue
            pump = Pump(self._ledger, self._sender, name, self._room, took=past.took)
            self._pumps[name] = pump, asyncio.create_task(self._run(name, pump))
        return earliest

    async def _run(self, name: tuple[str, UUID], pump: Pump) -> None:
        try:
            await pump.run()
        except Exception:
            about = {"book": name[0], "subscription": str(name[1])}
            logger.exception("the deliveries of a subscription of book %s wait a moment", name[0], extra=about)
        finally:
            del self._pumps[name]
            self._remember(name, _Past(asyncio.get_running_loop().time() + REST_SECONDS, took=pump.took))
            self._ledger.soon_deliver.set()  # to see when its next is due

    def _remember(self, name: tuple[str, UUID], past: _Past) -> None:
        self._past.pop(name, None)
        self._past[name] = past
        if len(self._past) > REMEMBERED_MAX:
            del self._past[next(iter(self._past))]

    async def _tidy(self) -> None:
        if self._rounds % SHOWN_EVERY == 0:
            _show(await backlog(self._ledger))
        if self._rounds % CENSUS_EVERY == 0:
            await self._take_census()
        self._rounds += 1
        summaries.inc(await keep_tidy(self._ledger))
        await asyncio.sleep(TIDY_SECONDS)

    async def _take_census(self) -> None:
        async with self._ledger.database.oversee() as tx:
            found = await census(tx)
        standings.clear()
        for each in found:
            standings.labels(each.book, each.standing).set(each.accounts)


async def _ended(pumps: list[tuple[Pump, asyncio.Task[None]]], seconds: float) -> None:
    if pumps:
        await asyncio.wait([task for _, task in pumps], timeout=seconds)


def _show(found: Backlog) -> None:
    pending.set(found.pending)
    held.set(found.held)
    oldest_seconds.set(found.oldest_age / SECOND)
    disabled.set(found.disabled)
