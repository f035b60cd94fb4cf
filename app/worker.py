"""The composition root of the clock: a loop that sleeps until something is due, then ticks book by book.

It also signs checkpoints, and carries on, batch by batch, the adoptions of policies that a server did not bring to
their end.
"""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from prometheus_client import Counter, Gauge

from app.domain.errors import ClockBehind, Refusal, Replaying
from app.domain.instant import SECOND, Instant
from app.operations.carry_adoption import carry_on
from app.operations.ledger import BREATH_SECONDS, CLOCK_SLEEP_MAX, Ledger
from app.operations.post_due_steps import post_due_steps
from app.operations.sign_checkpoint import sign_checkpoint
from app.operations.tick import ACCOUNTS_MAX, advance_due
from app.queries.adoptions import books_to_carry_on
from app.queries.checkpoints import books_to_sign
from app.queries.due import next_due_by_book

logger = logging.getLogger("goodwill.clock")

OpenedLedger = Callable[[], Awaitable[Ledger]]
Work = Callable[[Ledger, str], Awaitable[bool]]
Failed = dict[tuple[Work, str], float]
"""Which work failed in which book, and until when it is left alone there; other work goes on."""

ROUND_SECONDS = 0.25  # on a busy book something is due at every moment: what comes due within this is one batch
GATHERED = 150_000  # microseconds: what has been due for less another process's round may still take along
OUTAGE_SECONDS_MIN, OUTAGE_SECONDS_MAX = 0.25, 15.0
FAILED_BOOK_SECONDS = 60.0  # a book that cannot be ticked must not keep the clock from the others

crossings_recorded = Counter("goodwill_clock_crossings", "Crossings that this process's clock recorded")
checkpoints_signed = Counter("goodwill_clock_checkpoints", "Checkpoints that this process's clock signed")
accounts_advanced = Counter("goodwill_clock_accounts_advanced", "Accounts that this process's clock looked at")
lag_seconds = Gauge("goodwill_clock_lag_seconds", "How long the earliest due instant has passed; NaN: no clock here")
lag_seconds.set(math.nan)


@asynccontextmanager
async def clock_running(opened: OpenedLedger) -> AsyncGenerator[None]:
    """The clock runs beside what is done in the block."""
    running = asyncio.create_task(run_clock(opened))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def run_clock(opened: OpenedLedger) -> None:
    """Record in every book what is due, when it is due, until cancelled; an outage is told once and waited out."""
    outages = 0
    failed: Failed = {}
    while True:
        try:
            await _run_paced(await opened(), failed)
        except Exception as error:  # noqa: BLE001 - told once; whatever it is, the clock goes on
            if outages == 0:
                _tell(error)
            await asyncio.sleep(min(OUTAGE_SECONDS_MIN * 2**outages, OUTAGE_SECONDS_MAX))
            outages = min(outages + 1, 10)
        else:
            if outages:
                logger.warning("the clock runs again")
            outages = 0


def _tell(error: Exception) -> None:
    if isinstance(error, Refusal):
        logger.warning("the clock stands still: %s", error.detail)
    else:
        logger.error("the clock stands still", exc_info=error)


async def _run_paced(ledger: Ledger, failed: Failed) -> None:
    begun = asyncio.get_running_loop().time()
    if not await _run_round(ledger, failed):
        await asyncio.sleep(max(0.0, begun + ROUND_SECONDS - asyncio.get_running_loop().time()))


async def _run_round(ledger: Ledger, failed: Failed) -> bool:
    """One batch for each book in which something is due or an adoption is under way; else sleep until something is.

    Whether more is to be done at once: an adoption, or what was more than a batch or a checkpoint.
    """
    ledger.soon_due.clear()
    dues, others = await _dues(ledger, failed)
    now = ledger.now()
    earliest = min(dues.values(), default=now + CLOCK_SLEEP_MAX)
    lag_seconds.set(max(0, now - earliest) / SECOND)
    ripe = sorted(book for book, due_at in dues.items() if due_at + GATHERED <= now)
    if not ripe and not others:
        await _sleep(ledger, earliest + GATHERED - now)
        return False
    is_more = False
    for book in ripe:
        is_more |= await _try(_tick, ledger, book, failed)
        await asyncio.sleep(BREATH_SECONDS)
    for work, book in others:
        is_more |= await _try(work, ledger, book, failed)
        await asyncio.sleep(BREATH_SECONDS)
    return is_more


async def _dues(ledger: Ledger, failed: Failed) -> tuple[dict[str, Instant], list[tuple[Work, str]]]:
    """When each book is due next, and what else is to be done in which; what failed there, after a while."""
    async with ledger.database.oversee() as tx:
        dues, adopting = await next_due_by_book(tx), await books_to_carry_on(tx)
        signing = await books_to_sign(tx, ledger.rhythm, ledger.now())
    others = [*((_carry_on, book) for book in adopting), *((_sign, book) for book in signing)]
    present = asyncio.get_running_loop().time()
    failing = {each for each, until in failed.items() if until > present}
    return (
        {book: due_at for book, due_at in dues.items() if (_tick, book) not in failing},
        [each for each in others if each not in failing],
    )


async def _try(work: Work, ledger: Ledger, book: str, failed: Failed) -> bool:
    """Do it, and say whether there is more of it; what fails is left alone for a while."""
    try:
        is_more = await work(ledger, book)
    except (ClockBehind, Replaying):
        failed[work, book] = (
            asyncio.get_running_loop().time() + FAILED_BOOK_SECONDS
        )  # it takes no entry now; later it will
    except Refusal:
        raise
    except Exception:
        about = {"book": book}
        logger.exception("the clock leaves book %s alone for %d seconds", book, FAILED_BOOK_SECONDS, extra=about)
        failed[work, book] = asyncio.get_running_loop().time() + FAILED_BOOK_SECONDS
    else:
        failed.pop((work, book), None)
        return is_more
    return False


async def _tick(ledger: Ledger, book: str) -> bool:
    next_step_at = await post_due_steps(ledger, book)
    tick = await advance_due(ledger, book)
    accounts_advanced.inc(tick.advanced)
    crossings_recorded.inc(len(tick.crossings))
    about = {"book": book, "accounts": tick.advanced, "crossings": len(tick.crossings)}
    logger.debug("the clock went over book %s", book, extra=about)
    return tick.advanced == ACCOUNTS_MAX or (next_step_at is not None and next_step_at <= ledger.now())


async def _carry_on(ledger: Ledger, book: str) -> bool:
    await carry_on(ledger, book)
    return True


async def _sign(ledger: Ledger, book: str) -> bool:
    checkpoint = await sign_checkpoint(ledger, book)
    checkpoints_signed.inc(checkpoint is not None)
    return checkpoint is not None and checkpoint.size == ledger.rhythm.entries


async def _sleep(ledger: Ledger, duration: Instant) -> None:
    """Until then, or until this process writes something that is due soon."""
    with suppress(TimeoutError):
        async with asyncio.timeout(min(duration, CLOCK_SLEEP_MAX) / SECOND):  # wait_for may swallow a cancellation
            await ledger.soon_due.wait()
