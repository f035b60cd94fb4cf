"""The pump of one subscription: it claims what is due, sends it, and records what became of it."""

import asyncio
import logging
from contextlib import suppress
from uuid import UUID

from prometheus_client import Counter

from app.domain.delivery import Queue
from app.domain.errors import DatabaseUnavailable
from app.operations.deliver import Tried, Turn, give_back, take_turn, try_once
from app.operations.ledger import Ledger
from app.queries.deliveries import Parcel
from app.traces import Facts
from app.webhooks.send import IN_FLIGHT_MAX, Sender

logger = logging.getLogger("goodwill.deliverer")

WINDOW_MIN = 1  # in flight until the receiver has answered: so many that are gone at once fill little of the room
UNPROVEN_MAX = IN_FLIGHT_MAX * 3 // 4  # in flight to all those together of whom nothing good is known
SLOW_SECONDS = 1.0
STARVED_SECONDS = 0.05
REST_SECONDS_MIN, REST_SECONDS_MAX = 0.1, 5.0  # between tries at a receiver that fails, however much it is owed
OUTAGE_SECONDS_MIN, OUTAGE_SECONDS_MAX = 0.25, 15.0
ERROR_SECONDS = 5.0

deliveries = Counter("goodwill_deliveries", "Deliveries by what became of a try or of them", ("outcome",))
tries = Counter("goodwill_delivery_attempts", "Tries to deliver", ("status",))
for _outcome in ("delivered", "failed", "given_up"):
    deliveries.labels(_outcome)


class Room:
    """How much may be in flight in this process. A share is kept for receivers that are proven: they took what came
    last, and none of them has let us wait for long just now."""

    def __init__(self) -> None:
        self._proven = 0
        self._unproven = 0

    def left(self, *, is_proven: bool) -> int:
        """How many more a subscription may send."""
        left = IN_FLIGHT_MAX - self._proven - self._unproven
        return max(0, left if is_proven else min(left, UNPROVEN_MAX - self._unproven))

    def take(self, count: int, *, is_proven: bool) -> None:
        """So many places are taken; given back if it is below 0."""
        if is_proven:
            self._proven += count
        else:
            self._unproven += count


class Pump:
    """Runs as long as something is due or in flight. `took`: whether the receiver took what was sent to it last."""

    def __init__(self, ledger: Ledger, sender: Sender, name: tuple[str, UUID], room: Room, *, took: bool) -> None:
        self._ledger = ledger
        self._sender = sender
        self._queue = Queue(*name)
        self._room = room
        self.took = took
        self._news: asyncio.Queue[Tried | None] = asyncio.Queue()
        self._in_flight: dict[asyncio.Task[None], float] = {}
        self._window = WINDOW_MIN
        self._may_send = WINDOW_MIN
        self._failures = 0
        self._rests_until = 0.0
        self._is_stopped = False
        self._untried: list[Parcel] = []

    def wake(self) -> None:
        """More may be due."""
        if self._news.empty() and len(self._in_flight) < self._capacity:
            self._news.put_nowait(None)

    def stop(self) -> None:
        """Claim nothing more; `run` ends once what is in flight is recorded."""
        self._is_stopped = True
        self._news.put_nowait(None)

    def hang_up(self) -> None:
        """Wait for no answer any more; what is in flight is given back."""
        for task in list(self._in_flight):
            task.cancel()

    async def run(self) -> None:
        """Go on until nothing is due and nothing in flight."""
        tried: list[Tried] = []
        try:
            while True:
                if tried or self._free > 0:
                    self._send(await self._turn(tried))
                if self._is_done:
                    break
                tried = await self._what_came()
                self._rest_after(tried)
            if self._untried:
                await give_back(self._ledger, self._queue, self._untried)
        finally:
            self.hang_up()

    @property
    def _is_done(self) -> bool:
        return not self._in_flight and self._news.empty() and (self._is_stopped or self._free > 0)

    @property
    def _capacity(self) -> int:
        return min(self._window, self._may_send)

    @property
    def _free(self) -> int:
        """How many more may be sent just now."""
        if self._is_stopped or self._rest > 0:
            return 0
        return min(self._capacity - len(self._in_flight), self._room.left(is_proven=self._is_proven))

    @property
    def _rest(self) -> float:
        """For how many seconds nothing is sent, since the receiver fails."""
        return max(0.0, self._rests_until - asyncio.get_running_loop().time())

    def _rest_after(self, tried: list[Tried]) -> None:
        """The longer, the more often it failed in a row: each try costs us a transaction, and it a request."""
        if not tried:
            return
        self._failures = 0 if tried[-1].attempt.succeeded else self._failures + 1
        rest = REST_SECONDS_MIN * 2 ** min(self._failures - 1, 10) if self._failures else 0.0
        self._rests_until = asyncio.get_running_loop().time() + min(rest, REST_SECONDS_MAX)

    @property
    def _is_proven(self) -> bool:
        present = asyncio.get_running_loop().time()
        return self.took and all(present - begun <= SLOW_SECONDS for begun in self._in_flight.values())

    async def _turn(self, tried: list[Tried]) -> Turn | None:
        """One transaction; as long as the database is away, again and again, so that what was tried is not lost.

        Whatever else fails would fail again: what was tried is dropped, and comes up again when its lease ends.
        """
        outages = 0
        while True:
            try:
                turn = await self._take_turn(tried)
            except DatabaseUnavailable:
                if outages == 0:
                    logger.warning("deliveries of book %s wait for the database", self._queue.book, extra=self._about)
                await asyncio.sleep(min(OUTAGE_SECONDS_MIN * 2 ** min(outages, 10), OUTAGE_SECONDS_MAX))
                outages += 1
            except Exception:
                about = self._about
                logger.exception("tries of deliveries of book %s could not be recorded", about["book"], extra=about)
                await asyncio.sleep(ERROR_SECONDS)
                return None
            else:
                self._may_send = turn.may_send
                self._tell(turn, tried)
                return turn

    def _tell(self, turn: Turn, tried: list[Tried]) -> None:
        _count(turn, tried)
        done = {"delivered": turn.delivered, "failed": turn.failed, "given_up": turn.given_up}
        level = logging.WARNING if turn.given_up else logging.DEBUG
        logger.log(level, "deliveries of book %s: %s", self._queue.book, done, extra={**self._about, **done})

    async def _take_turn(self, tried: list[Tried]) -> Turn:
        """The places for what may be claimed are taken meanwhile, lest many that begin at once take them all."""
        room, is_proven = self._free, self._is_proven
        self._room.take(room, is_proven=is_proven)
        try:
            return await take_turn(self._ledger, self._queue, tried, in_flight=len(self._in_flight), room=room)
        finally:
            self._room.take(-room, is_proven=is_proven)

    def _send(self, turn: Turn | None) -> None:
        if turn is None:
            return
        is_proven = self._is_proven
        for parcel in turn.claimed:
            self._room.take(1, is_proven=is_proven)
            task = asyncio.create_task(self._send_one(turn, parcel, is_proven=is_proven))
            self._in_flight[task] = asyncio.get_running_loop().time()

    async def _send_one(self, turn: Turn, parcel: Parcel, *, is_proven: bool) -> None:
        assert turn.address is not None
        tried: Tried | None = None
        try:
            with self._ledger.traces.span("deliver", self._facts(parcel)) as span:
                tried = await try_once(self._sender, turn.address, turn.form, parcel, now=self._ledger.now())
                succeeded, status = tried.attempt.succeeded, tried.attempt.status
                span.note({"http.response.status_code": status}, failed=not succeeded)
            self.took = tried.attempt.succeeded
            self._window = self._window + 1 if self.took else 1
        except asyncio.CancelledError:
            self._untried.append(parcel)
            raise
        except Exception:
            logger.exception("a delivery of book %s could not be tried", self._queue.book, extra=self._about)
        finally:
            task = asyncio.current_task()
            assert task is not None
            del self._in_flight[task]
            self._room.take(-1, is_proven=is_proven)
            self._news.put_nowait(tried)

    @property
    def _about(self) -> dict[str, str]:
        """What a line of the log says of it."""
        return {"book": self._queue.book, "subscription": str(self._queue.subscription_id)}

    def _facts(self, parcel: Parcel) -> Facts:
        """What a trace says of a delivery. Where it goes may hold a secret."""
        own = {f"goodwill.{name}": fact for name, fact in self._about.items()}
        return {**own, "goodwill.message": str(parcel.message_id), "goodwill.message_type": parcel.type.value}

    @property
    def _patience(self) -> float | None:
        """When to look again although nothing came: after a rest, and soon where there is no room; None: need not."""
        if self._is_stopped or len(self._in_flight) >= self._capacity:
            return None
        if self._rest > 0:
            return self._rest
        return STARVED_SECONDS if self._room.left(is_proven=self._is_proven) == 0 else None

    async def _what_came(self) -> list[Tried]:
        """What was tried meanwhile, or nothing when it is time to look whether more may be sent."""
        came: list[Tried | None] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                came.append(await self._news.get())
        while not self._news.empty():
            came.append(self._news.get_nowait())
        return [each for each in came if each is not None]


def _count(turn: Turn, tried: list[Tried]) -> None:
    deliveries.labels("delivered").inc(turn.delivered)
    deliveries.labels("failed").inc(turn.failed)
    deliveries.labels("given_up").inc(turn.given_up)
    for each in tried:
        tries.labels(str(each.attempt.status or "none")).inc()
