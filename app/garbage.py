"""What becomes of memory that nobody needs any more: when Python looks for it, and that the system gets it back."""

import asyncio
import ctypes
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

THRESHOLDS = (10_000, 20, 50)  # what we make is nearly all gone without being looked for
LARGE_BYTES = 64 * 1024
TRIM_SECONDS = 5.0
_M_MMAP_THRESHOLD = -3  # <malloc.h>


def leave_alone_what_stays() -> None:
    """What is there now is there until the end: looking through it again and again took a fifth of a rebuild's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def give_large_back() -> None:
    """A large block, as of a batch's text, goes back to the system as soon as nobody needs it.

    glibc would keep each size that it has met once among the small blocks, where what is small soon stands in the way
    (mallopt(3), on M_MMAP_THRESHOLD): 4 MB of a server's memory. Another C library does as it does.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)


@asynccontextmanager
async def giving_small_back() -> AsyncGenerator[None]:
    """In the block, pages that lie free among small blocks go back to the system every few seconds.

    glibc gives back by itself only what is free at the end (malloc_trim(3)): half a millisecond, for some 2 MB.
    """
    trimming = asyncio.create_task(_trim())
    try:
        yield
    finally:
        trimming.cancel()


async def _trim() -> None:
    with suppress(AttributeError):
        trim = ctypes.CDLL(None).malloc_trim
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            trim(0)
