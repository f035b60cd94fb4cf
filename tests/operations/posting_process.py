"""A process of its own that posts batches through the operations, as an import does.

`python -m tests.operations.posting_process BOOK BATCHES SIZE`, with the settings in the environment.
"""

import asyncio
import sys

from app.domain.interaction import Interaction
from app.main import Opened
from app.operations.outcome import Posted
from app.operations.record import record
from app.settings import read_settings


async def post_batches(book: str, batches: int, size: int) -> None:
    """Post, one batch after the other; say how many interactions were created."""
    service = Opened(read_settings())
    ledger = await service.ledger()
    created = 0
    for batch in range(batches):
        items = [
            Interaction(source="import", id=f"{batch}-{row}", customer=f"customer-{row % 7}", kind="refund.fast")
            for row in range(size)
        ]
        outcomes = await record(ledger, book, items, api_key_id="import")
        created += sum(isinstance(outcome, Posted) and not outcome.replayed for outcome in outcomes)
    await service.close()
    sys.stdout.write(f"{created}\n")


if __name__ == "__main__":
    asyncio.run(post_batches(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
