"""The service as it runs in production, in processes that can be killed and started again."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.api.sentences import happening
from tests.clocks import ClockProcess
from tests.conftest import Bench
from tests.postgres import Postgres
from tests.servers import GoodwillProcess, ServerProcess, settings_of

IMPORT_ROWS, IMPORT_BATCH = 500, 10
KILLED = -signal.SIGKILL


class Victim(Protocol):
    """What is killed, and started again as it was."""

    def kill(self) -> None: ...

    def start(self) -> Awaitable[object]: ...


@dataclass(frozen=True, slots=True)
class Instance:
    """PostgreSQL itself, as something to kill: at once, as a power cut ends it."""

    postgres: Postgres

    def kill(self) -> None:
        self.postgres.kill()

    async def start(self) -> None:
        await asyncio.to_thread(self.postgres.start)


class Importing(GoodwillProcess):
    """`goodwill import`, file after file until `finish`; one that was killed is run again, by itself."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        super().__init__(settings, folder / "import.log")
        self.sent: set[str] = set()
        self._folder = folder
        self._is_finishing = False

    def finish(self) -> None:
        """End after this file."""
        self._is_finishing = True

    def kill(self) -> None:
        """At once; it is `go_on` that waits for the end, and begins anew."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid or 0, signal.SIGKILL)

    async def start(self) -> None:
        """It has begun anew already, or is about to."""

    async def go_on(self) -> None:
        while not self._is_finishing:
            path = self._next_file()
            while (code := await self._import(path)) == KILLED:
                pass
            assert code == 0, self.log

    def _next_file(self) -> Path:
        begun = len(self.sent)
        rows = [happening(f"import-{begun + n}", f"cold-{n % 30}", "apology.first") for n in range(IMPORT_ROWS)]
        self.sent.update(str(row["id"]) for row in rows)
        path = self._folder / f"import-{begun}.ndjson"
        path.write_text("\n".join(json.dumps(row) for row in rows))
        return path

    async def _import(self, path: Path) -> int:
        rejects = str(path.with_suffix(".rejects"))
        words = ("--book", "acme", "--source", "crm", "--batch-size", str(IMPORT_BATCH), "--rejects", rejects)
        return await self.run("import", str(path), *words)


@dataclass(slots=True, kw_only=True)
class Service:
    """What runs, and by the name of its kind what may be killed."""

    servers: list[ServerProcess]
    worker: ClockProcess
    victims: dict[str, list[Victim]]
    imports: list[Importing]

    @property
    def imported(self) -> set[str]:
        """The ids that were imported."""
        return set().union(*[each.sent for each in self.imports])

    @property
    def logs(self) -> str:
        """All that its processes wrote."""
        return "".join(each.log for each in (*self.servers, self.worker, *self.imports))


@asynccontextmanager
async def running_service(bench: Bench, postgres: Postgres | None, folder: Path) -> AsyncGenerator[Service]:
    """Two servers and a worker on PostgreSQL; a server, a worker and an import on one SQLite file.

    The servers run the clock and deliver, too, as they do unless they are told not to.
    """
    settings = {
        **settings_of(database_url=bench.url, master_key=bench.ledger.master_key.secret),
        "GOODWILL_WEBHOOKS_ALLOW_LOOPBACK": "true",
    }
    servers = [ServerProcess(settings, folder / f"server-{n}.log") for n in range(2 if postgres else 1)]
    worker = ClockProcess(settings, folder / "work.log")
    imports = [] if postgres else [Importing(settings, folder)]
    also: dict[str, list[Victim]] = {"postgresql": [Instance(postgres)]} if postgres else {"import": [*imports]}
    victims: dict[str, list[Victim]] = {**also, "server": [*servers], "worker": [worker]}
    service = Service(servers=servers, worker=worker, imports=imports, victims=victims)
    async with AsyncExitStack() as ending:
        for each in (*servers, worker):
            ending.push_async_callback(each.stop)
        await asyncio.gather(worker.start(), *[server.start() for server in servers])
        yield service
