"""A process of its own that carries an adoption on, slowly, as if there were many accounts: to be killed.

`python -m tests.operations.adopting_process BOOK`, with the settings in the environment.
"""

import asyncio
import sys

from app.main import Opened
from app.operations import adopt_policy
from app.settings import read_settings

PAUSE_SECONDS = 0.05


async def carry_slowly(book: str) -> None:
    """Prepare account by account, with a pause after each."""
    vars(adopt_policy)["BATCH_ACCOUNTS"] = 1
    ledger = await Opened(read_settings()).ledger()
    is_left: bool | None = True
    while is_left is not None:
        is_left = await adopt_policy._prepare_some(ledger, book)
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(carry_slowly(sys.argv[1]))
