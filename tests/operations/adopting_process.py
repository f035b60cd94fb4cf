"""A process of its own that carries an adoption on, slowly, as if there were many accounts: to be killed.

`python -m tests.operations.adopting_process BOOK`, with the settings in the environment.
"""

import asyncio
import sys

from app.main import Opened
from app.operations import carry_adoption
from app.settings import read_settings

PAUSE_SECONDS = 0.05


async def carry_slowly(book: str) -> None:
    """Prepare account by account, with a pause after each."""
    vars(carry_adoption)["BATCH_ACCOUNTS"] = 1
    ledger = await Opened(read_settings()).ledger()
    while await carry_adoption.prepare_or_switch(ledger, book):  # noqa: ASYNC110 - it waits for nothing: it is slow
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(carry_slowly(sys.argv[1]))
