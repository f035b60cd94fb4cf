"""`goodwill work`: the clock and the deliverer, in a process of their own."""

import asyncio
import logging
import signal

from app.cli.session import run, settings_or_exit
from app.deliverer import run_deliverer
from app.main import Opened
from app.settings import Settings
from app.worker import run_clock


def work() -> None:
    """Run the clock and the deliverer until SIGTERM or SIGINT; several may run at once, beside any servers."""
    run(_work(settings_or_exit()))


async def _work(settings: Settings) -> None:
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger("goodwill").setLevel(settings.log_level.upper())
    service = Opened(settings)
    running = asyncio.gather(run_clock(service.ledger), run_deliverer(service.ledger))
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    print("Goodwill's clock runs", flush=True)
    try:
        await asyncio.wait([running])
    finally:
        await service.close()
