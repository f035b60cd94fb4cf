"""1,000 deep debits posted under load while receivers fail in every way: what became of each, and what arrived of it.

`python -m benchmarks.delivery_faults [sqlite|postgresql]`; on PostgreSQL two servers, whose deliverers share the work.
After FAILING_SECONDS most receivers turn fine, and what they are owed is offered at once by pausing and resuming.
"""

import asyncio
import tempfile
from pathlib import Path

from app.domain.delivery import DeliveryState
from benchmarks.on_both import on_both, process_settings
from tests.api.fault_matrix import DELETED, FOR_EVER, Matrix, matrix
from tests.conftest import Bench
from tests.servers import ServerProcess

DEBITS, CLIENTS = 1_000, 16
FAILING_SECONDS, PATIENCE_SECONDS = 20, 100
MEBIBYTES_MAX = 150


async def measure(bench: Bench) -> None:
    """Servers, killed by nobody."""
    count = 1 if bench.ledger.database.is_sqlite else 2
    with tempfile.TemporaryDirectory() as folder:
        servers = [ServerProcess(process_settings(bench), Path(folder) / f"{number}.log") for number in range(count)]
        await asyncio.gather(*[server.start() for server in servers])
        async with matrix(bench, servers) as it:
            await work(it)
        sizes = [server.peak_mebibytes for server in servers]
        print(f"  the servers peaked at {', '.join(f'{size:.0f}' for size in sizes)} MiB")
        await asyncio.gather(*[server.stop() for server in servers])
        assert max(sizes) < MEBIBYTES_MAX
        assert [server.log for server in servers if "Traceback" in server.log] == []


async def work(it: Matrix) -> None:
    """Post, fail, mend."""
    pace = await it.post(DEBITS, clients=CLIENTS)
    print(f"  {DEBITS:,} posted by {CLIENTS} clients, {pace:.0f}/s, with {len(it.watched)} subscriptions")
    await it.until(lambda: it.all_are(DeliveryState.DELIVERED, "fine", "1 GB"), PATIENCE_SECONDS)
    await asyncio.sleep(FAILING_SECONDS)
    await show(it, "while they fail")
    await it.mend()
    mended = [each.name for each in it.watched if each.name not in (DELETED, FOR_EVER)]
    await it.until(lambda: it.all_are(DeliveryState.DELIVERED, *mended), PATIENCE_SECONDS)
    await it.until(lambda: it.all_are(DeliveryState.GIVEN_UP, DELETED), PATIENCE_SECONDS)
    await show(it, "in the end")
    await it.check(DEBITS)


async def show(it: Matrix, when: str) -> None:
    """The table."""
    print(f"  {when}:", *await it.table(), sep="\n    ", flush=True)


if __name__ == "__main__":
    on_both(measure)
