"""Disks that are full: a small tmpfs, or, where this user may mount none, a limit that the database itself keeps."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import event

from app.database import Database
from tests.postgres import Server

MEBIBYTE = 1 << 20


class Disk(Protocol):
    """Where the database lies."""

    def fill(self) -> None: ...

    def free(self) -> None: ...


@contextmanager
def mounted(*, mebibytes: int) -> Iterator[Path | None]:
    """A file system of its own, for anybody to write in; None where it cannot be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="goodwill-disk-"))  # not in pytest's folder, which is closed to PostgreSQL
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield folder if is_mounted else None
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@dataclass(frozen=True, slots=True)
class Ballast:
    """A mounted disk, filled to the last byte by a file beside the database's."""

    folder: Path

    def fill(self) -> None:
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for size in (MEBIBYTE, 4096, 1):
                _write_until_full(ballast.fileno(), b"x" * size)

    def free(self) -> None:
        (self.folder / "ballast").unlink()


def _write_until_full(file: int, block: bytes) -> None:
    try:
        while True:
            os.write(file, block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


class Pages:
    """A limit on the pages of a SQLite file, at as many as it has: an insert meets the very error of a full disk."""

    def __init__(self, database: Database) -> None:
        self._is_full = False
        event.listen(database._writers.engine.sync_engine, "begin", self._limit)

    def _limit(self, connection: Any) -> None:
        pages = 1 if self._is_full else 1 << 30  # SQLite takes no less than there are
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def fill(self) -> None:
        self._is_full = True

    def free(self) -> None:
        self._is_full = False


@dataclass(frozen=True, slots=True)
class Refusing:
    """A PostgreSQL that answers an insert of entries as it does when it cannot make a file larger."""

    server: Server
    database: str

    def fill(self) -> None:
        body = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END"
        self._execute(f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        self._execute("CREATE TRIGGER no_room BEFORE INSERT ON entries EXECUTE FUNCTION no_room()")

    def free(self) -> None:
        self._execute("DROP FUNCTION no_room CASCADE")

    def _execute(self, sql: str) -> None:
        self.server.execute(sql, database=self.database)
