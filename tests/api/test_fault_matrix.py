"""Whatever receivers do, each message ends delivered, held or given up; none is missing, none has two ids."""

from pathlib import Path

from app.domain.delivery import DeliveryState
from app.main import clock
from tests.api.fault_matrix import DELETED, FOR_EVER, REFUSES, matrix
from tests.conftest import Bench
from tests.servers import ServerProcess, settings_of

DEBITS, CLIENTS, PATIENCE_SECONDS = 40, 8, 60.0
OTHERS = {"500", "429, retry-after", "times out", "resets", "410", "1 byte a second", "redirects", REFUSES}


async def test_no_message_is_lost_or_told_elsewhere_whatever_receivers_do(bench: Bench, tmp_path: Path) -> None:
    bench.clock.now = clock()
    settings = settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret)
    server = ServerProcess({**settings, "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true"}, tmp_path / "server.log")
    async with matrix(bench, [await server.start()]) as it:
        await it.post(DEBITS, clients=CLIENTS)
        await it.until(lambda: it.all_are(DeliveryState.DELIVERED, "fine", "1 GB"), PATIENCE_SECONDS)
        await it.until(lambda: it.all_are(DeliveryState.HELD, "410"), PATIENCE_SECONDS)
        await it.mend()
        await it.until(lambda: it.all_are(DeliveryState.DELIVERED, *OTHERS), PATIENCE_SECONDS)
        await it.until(lambda: it.all_are(DeliveryState.PENDING, FOR_EVER), PATIENCE_SECONDS)
        await it.until(lambda: it.all_are(DeliveryState.GIVEN_UP, DELETED), PATIENCE_SECONDS)
        await it.check(DEBITS)
        await server.stop()
    assert "Traceback" not in server.log
