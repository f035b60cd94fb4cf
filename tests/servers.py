"""Real server processes for the tests: `python -m app serve` on a free port, over a database that the test names."""

import asyncio
import atexit
import base64
import multiprocessing
import os
import runpy
import signal
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx

from tests.postgres import free_port

ROOT = Path(__file__).parents[1]
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 30
RUN_TIMEOUT_SECONDS = 600
KIBIBYTES_IN_MEBIBYTE = 1_024

# A process is forked off one that has read the code, which takes longer than all else that most tests do.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["app.cli.commands", "app.cli.serve", "app.cli.work", "app.cli.importing.command"])
STARTS_MAX = 5  # another process may take the free port between our look and the server's


class GoodwillProcess:
    """`python -m app` with a command of its own. `stop` ends it in order, `kill` at once; both keep the log."""

    program = "app"

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self.settings = dict(settings)
        self._log = log
        self._process: ForkServerProcess | None = None
        atexit.register(self.kill)

    @property
    def log(self) -> str:
        """All that the process wrote, over all its starts."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def peak_mebibytes(self) -> float:
        """The most memory that the running process ever held."""
        lines = Path(f"/proc/{self._running.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / KIBIBYTES_IN_MEBIBYTE

    async def stop(self) -> int:
        """End it as an operator does (SIGTERM), and return its exit code."""
        return await asyncio.to_thread(self._end, signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        self._end(signal.SIGKILL)

    async def run(self, *command: str) -> int:
        """From its beginning to its end, and return its exit code."""
        self._launch(*command)
        running = self._running
        await asyncio.to_thread(running.join, RUN_TIMEOUT_SECONDS)
        assert running.exitcode is not None, f"{command} does not end:\n{self.log}"
        return running.exitcode

    @property
    def _running(self) -> ForkServerProcess:
        assert self._process is not None
        return self._process

    def _launch(self, *command: str, **more: str) -> None:
        own = environment({**self.settings, **more})
        self._process = FORKS.Process(target=_become, args=(self.program, command, own, self._log))
        self._process.start()

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.is_alive():
            os.kill(process.pid or 0, how)
        process.join(STOP_TIMEOUT_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode or 0


class ServerProcess(GoodwillProcess):
    """One server. `start` begins anew, on the same port."""

    url = ""
    _port: int | None = None

    async def start(self, *, until: str = "/readyz") -> "ServerProcess":
        """Start, and wait until it says that it is ready, or that all is well at another address."""
        for _ in range(STARTS_MAX):
            port = self._port or free_port()
            self.url = f"http://127.0.0.1:{port}"
            self._launch("serve", GOODWILL_PORT=str(port))
            if await self._says(until):
                self._port = port
                return self
            self.kill()
        raise RuntimeError(f"the server does not start:\n{self.log}")

    def client(self, token: str) -> httpx.AsyncClient:
        """A client of this server that carries a key."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=START_TIMEOUT_SECONDS)

    async def _says(self, address: str) -> bool:
        process, give_up_at = self._running, time.monotonic() + START_TIMEOUT_SECONDS
        async with httpx.AsyncClient(base_url=self.url) as client:
            while time.monotonic() < give_up_at and process.is_alive():
                if await _answer_of(client, address) == httpx.codes.OK:
                    return True
                await asyncio.sleep(0.05)
        return False


@asynccontextmanager
async def running_servers(
    count: int, folder: Path, *, database_url: str, master_key: bytes
) -> AsyncGenerator[list[ServerProcess]]:
    """So many servers over the same database; their logs lie in `folder`."""
    settings = settings_of(database_url=database_url, master_key=master_key)
    servers = [ServerProcess(settings, folder / f"server-{number}.log") for number in range(count)]
    async with AsyncExitStack() as ending:
        for server in servers:
            ending.push_async_callback(server.stop)
        await asyncio.gather(*[server.start() for server in servers])
        yield servers


def settings_of(*, database_url: str, master_key: bytes) -> dict[str, str]:
    """The settings with which a process opens what the test opened."""
    return {"GOODWILL_DATABASE_URL": database_url, "GOODWILL_MASTER_KEY": base64.b64encode(master_key).decode()}


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our environment with these settings and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GOODWILL_")}
    return {**others, **settings}


def _become(program: str, command: Sequence[str], own: Mapping[str, str], log: Path) -> None:
    """What `python -m program` would be, in a session of its own."""
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(own)
    reads, writes = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for own_file, file in enumerate((reads, writes, writes)):
        os.dup2(file, own_file)
    sys.argv = [program, *command]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


async def _answer_of(client: httpx.AsyncClient, address: str) -> int:
    try:
        return (await client.get(address)).status_code
    except httpx.TransportError:
        return 0
