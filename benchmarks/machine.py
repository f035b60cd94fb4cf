"""On what it was measured: the machine, the versions, the commit, and how busy it was at the start."""

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from tests.servers import ROOT

PACKAGES = ("uvicorn", "fastapi", "pydantic", "asyncpg", "sqlalchemy", "uvloop", "httptools")
SYNCS = 200
PAGE = bytes(8_192)


def described(seed: int) -> dict[str, Any]:
    """The header of a run, but for PostgreSQL's version."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "seed": seed,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "model": _first("/proc/cpuinfo", "model name"),
            "memory_gb": round(int(_first("/proc/meminfo", "MemTotal").split()[0]) / 1e6, 1),
            "kernel": platform.release(),
            "load_average_at_start": round(os.getloadavg()[0], 2),
            "sync_of_a_page_us": round(_sync_seconds() * 1e6),
        },
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in PACKAGES},
        },
    }


async def postgres_version(url: str) -> str:
    """What the server says."""
    connection = await asyncpg.connect(url)
    number = str(await connection.fetchval("SHOW server_version"))
    await connection.close()
    return number


def commit() -> str:
    """The short name of what is checked out, with a plus sign if something of the code is changed."""
    name = git("rev-parse", "--short=10", "HEAD")
    return f"{name}+" if git("status", "--porcelain", "--", "app", "benchmarks/*.py", "migrations") else name


def git(*command: str) -> str:
    """What git says; nothing outside a checkout."""
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip()


def _first(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def _sync_seconds() -> float:
    """The median time to write a page and have it on the disk, where the databases are."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(PAGE)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    return statistics.median(took)


assert sys.platform == "linux", "what is read of /proc is read of Linux"
