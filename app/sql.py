"""Statements of the hot paths, run on the driver itself: SQLAlchemy would spend 0.3 to 0.5 ms of processor on each.

One text serves both databases. On SQLite each statement is a trip to the connection's thread, so several go together.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, Table, Uuid
from sqlalchemy.ext.asyncio import AsyncConnection

from app.sql_together import renumbered, side_by_side, together

Record = Sequence[Any]
"""A row: values by place, a UUID as such from PostgreSQL and as 32 hex digits from SQLite (see `uuid_of`)."""

FEW_VALUES = 100  # below it several reads in one round trip are quicker than one after the other

MOST_ROOM = 2**14  # SQLite takes 32,766 values; of longer lists there are as many texts as lengths

_PLACE = re.compile(r"(\bIN )?:(\w+)")
_ARRAYS: Mapping[type, str] = {
    BigInteger: "bigint",
    Integer: "integer",
    LargeBinary: "bytea",
    Double: "float8",
    Boolean: "boolean",
}


class Sql:
    """A statement with `:name` for a value and `IN :name` for a list of values, perhaps empty.

    A list stands in a condition of WHERE or ON that has to hold, and nowhere else: negated, an empty one would not mean
    the same on both databases.

    `lock` locks the rows that it reads, where the write transaction itself is not the lock. `on_postgres` says the same
    where PostgreSQL has to be told how; a cast there is written as CAST.
    """

    def __init__(self, text: str, *, lock: bool = False, on_postgres: str | None = None) -> None:
        self._text = text
        self.is_read, self.locks = text.startswith("SELECT"), lock
        places = _PLACE.findall(text)
        self._names = list(dict.fromkeys(name for _, name in places))
        self._lists = {name for is_list, name in places if is_list}
        self._texts: dict[tuple[int, ...], str] = {}
        numbered = _PLACE.sub(lambda place: self._numbered(place[2], is_list=bool(place[1])), on_postgres or text)
        self._postgres = f"{numbered} FOR UPDATE" if lock else numbered

    def _numbered(self, name: str, *, is_list: bool) -> str:
        number = self._names.index(name) + 1
        return f"= ANY(${number})" if is_list else f"${number}"

    def on_postgres(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The statement and its arguments."""
        return self._postgres, [values[name] for name in self._names]

    def on_sqlite(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> list[Record]:
        """The rows. Blocks."""
        bound: list[Any] = []
        rooms: list[int] = []
        for name in self._names:
            if name not in self._lists:
                bound.append(_plain(values[name]))
                continue
            # As many places as the next power of two: so there are few texts, and each is prepared once. For none one,
            # of NULL, which nothing equals: a join on IN () goes through the whole table.
            listed = [_plain(each) for each in values[name]] or [None]
            rooms.append(_room(len(listed)))
            bound += listed + listed[-1:] * (rooms[-1] - len(listed))
        return driver.execute(self._spelt(tuple(rooms)), bound).fetchall()

    def _spelt(self, rooms: tuple[int, ...]) -> str:
        """The statement for SQLite, with so many places for each list; kept, since the longest take 400 us to spell."""
        if rooms not in self._texts:
            room, numbers = iter(rooms), count(1)
            places = {name: islice(numbers, next(room) if name in self._lists else 1) for name in self._names}
            spelt = {name: ",".join(f"?{number}" for number in own) for name, own in places.items()}
            self._texts[rooms] = _PLACE.sub(
                lambda place: f"IN ({spelt[place[2]]})" if place[1] else spelt[place[2]], self._text
            )
        return self._texts[rooms]


class Insert:
    """Rows into a table: tuples in the order of its columns. `replacing` overwrites those whose key is known.

    It is no COPY, however many there are: that does not go through row-level security.
    """

    def __init__(self, table: Table, *, replacing: bool = False) -> None:
        columns = [column.name for column in table.columns]
        into = f"INSERT INTO {table.name} ({', '.join(columns)})"
        instead = _instead(table) if replacing else ""
        arrays = [f"${number}::{_array_of(column)}[]" for number, column in enumerate(table.columns, start=1)]
        self._postgres = f"{into} SELECT * FROM unnest({', '.join(arrays)}){instead}"  # noqa: S608 - of our own columns
        # SQLite reads ON CONFLICT as a join's ON unless a WHERE comes before; VALUES has no such trouble.
        self._sqlite = f"{into} VALUES ({', '.join('?' * len(columns))}){instead}"

    def on_postgres(self, rows: Sequence[Record]) -> tuple[str, list[Any]]:
        """The statement and its arguments, a column each. Requires rows."""
        return self._postgres, list(zip(*rows, strict=True))

    def on_sqlite(self, driver: sqlite3.Connection, rows: Sequence[Record]) -> list[Record]:
        """Write the rows. Blocks."""
        driver.executemany(self._sqlite, [[_plain(value) for value in row] for row in rows])
        return []


Step = tuple[Sql, Mapping[str, Any]] | tuple[Insert, Sequence[Record]]
"""A statement and what it is run with."""


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps for SQLite's thread."""

    steps: Sequence[Step]

    def __call__(self, driver: sqlite3.Connection) -> list[list[Record]]:
        return [_on_sqlite(driver, step) for step in self.steps]


async def run(tx: AsyncConnection, *steps: Step) -> list[list[Record]]:
    """Run the steps, within the transaction; the rows of each, if any of them reads.

    On PostgreSQL they are one statement where none reads, so that they may not rely on what another of them wrote; and
    where all do and ask for few.
    """
    driver = driver_of(tx)
    if tx.dialect.name == "sqlite":
        # The one way into the thread for more than a single statement; aiosqlite's own methods go it too.
        connection = cast("sqlite3.Connection", driver._conn)  # noqa: SLF001
        return cast("list[list[Record]]", await driver._execute(_Steps(steps), connection))  # noqa: SLF001
    if all(isinstance(statement, Insert) or not statement.is_read for statement, _ in steps):
        await _write_on_postgres(driver, steps)
        return []
    if len(steps) > 1 and _asks_for_few(steps):
        return await _read_at_once_on_postgres(driver, steps)
    return [await _read_on_postgres(driver, step) for step in steps]


async def rows_of(tx: AsyncConnection, statement: Sql, **values: Any) -> list[Record]:
    """The rows that a statement gives."""
    (rows,) = await run(tx, (statement, values))
    return rows


def driver_of(tx: AsyncConnection) -> Any:
    """The driver's own connection, in the transaction that `tx` is in."""
    connection = tx.sync_connection
    assert connection is not None
    return connection.connection.driver_connection


def columns_of(table: Table, alias: str) -> str:
    """The table's columns, in order, for a SELECT."""
    return ", ".join(f"{alias}.{column.name}" for column in table.columns)


def uuid_of(value: Any) -> Any:
    """A UUID from a row of either database; None stays None."""
    return UUID(value) if value.__class__ is str else value


def _on_sqlite(driver: sqlite3.Connection, step: Step) -> list[Record]:
    statement, given = step
    return statement.on_sqlite(driver, cast("Any", given))


async def _read_on_postgres(driver: Any, step: Step) -> list[Record]:
    statement, given = step
    text, values = statement.on_postgres(cast("Any", given))
    return cast("list[Record]", await driver.fetch(text, *values))


def _asks_for_few(steps: Iterable[Step]) -> bool:
    """Whether all of them only read, and name few values: a row that comes in an array takes longer than by itself."""
    listed = 0
    for statement, given in steps:
        if isinstance(statement, Insert) or statement.locks or not statement.is_read:
            return False
        listed += sum(map(_length, cast("Mapping[str, Any]", given).values()))
    return listed <= FEW_VALUES


def _length(value: Any) -> int:
    return len(value) if value.__class__ is list else 0


async def _read_at_once_on_postgres(driver: Any, steps: Sequence[Step]) -> list[list[Record]]:
    """All in one round trip, an array of rows for each."""
    texts, values = _numbered_on(steps)
    return list(await driver.fetchrow(side_by_side(texts), *values))


async def _write_on_postgres(driver: Any, steps: Sequence[Step]) -> None:
    """All in one round trip."""
    texts, values = _numbered_on(steps)
    if texts:
        await driver.execute(together(texts), *values)


def _numbered_on(steps: Iterable[Step]) -> tuple[tuple[str, ...], list[Any]]:
    """The statements, their arguments numbered through, and those; inserts of no rows are left out."""
    texts: list[str] = []
    values: list[Any] = []
    for statement, given in steps:
        if given or isinstance(statement, Sql):
            text, own = statement.on_postgres(cast("Any", given))
            texts.append(renumbered(text, len(values)))
            values += own
    return tuple(texts), values


def _instead(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in keys]
    replaced = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {replaced}"


def _array_of(column: Column[Any]) -> str:
    if isinstance(column.type, Uuid):
        return "uuid"
    return _ARRAYS.get(type(column.type), "text")


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value


def _room(count: int) -> int:
    return count if count > MOST_ROOM else 1 << (count - 1).bit_length()
