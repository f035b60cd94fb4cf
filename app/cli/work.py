"""`goodwill work`: the clock and the deliverer, in a process of their own."""

import asyncio
import signal

from app.cli.logs import greet, log_to_stderr, traces_of
from app.cli.session import run, settings_or_exit
from app.deliverer import run_deliverer
from app.main import Opened
from app.settings import Settings
from app.worker import run_clock


def work() -> None:
    """Run the clock and the deliverer until SIGTERM or SIGINT; several may run at once, beside any servers."""
    run(_work(settings_or_exit()))


async def _work(settings: Settings) -> None:
    log_to_stderr(settings)
    service = Opened(settings, traces=traces_of(settings))
    running = asyncio.ensure_future(_run_both(service))
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, running.cancel)
    greet(settings, "Goodwill's clock runs")
    try:
        await asyncio.wait([running])
    finally:
        await service.close()


async def _run_both(service: Opened) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_clock(service.ledger))
        tasks.create_task(run_deliverer(service.ledger))
