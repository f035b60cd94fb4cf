"""A process of its own that moves a sandbox's clock, slowly, as if there were much to do: to be killed.

`python -m tests.operations.sandbox_process BOOK DAYS`, with the settings in the environment.
"""

import asyncio
import sys

from app.domain.instant import DAY
from app.main import Opened
from app.operations import sandbox
from app.settings import read_settings

PAUSE_SECONDS = 0.05


async def pass_slowly(book: str, days: int) -> None:
    """Whatever is due by itself, with a pause after each."""
    vars(sandbox)["BREATH_SECONDS"] = PAUSE_SECONDS
    ledger = await Opened(read_settings()).ledger()
    await sandbox.advance_clock(ledger, book, by=days * DAY, limit=1)


if __name__ == "__main__":
    asyncio.run(pass_slowly(sys.argv[1], int(sys.argv[2])))
