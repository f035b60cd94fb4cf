"""How the statements of the hot paths find their rows: by an index, and never by going through a table."""

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import String, Text, Uuid

import app.operations
import app.queries
import app.store
from app.database import Database
from app.domain.standing import Depth, Standing
from app.domain.worklist import INDEXED, Filter, Order
from app.queries.worklist_page import page_statement
from app.queries.worklist_rows import matching_statement
from app.sql import Sql, driver_of
from app.tables import accounts
from app.tables.grants import ROLE
from tests.conftest import Bench
from tests.postgres import Server

FEW = ("books", "subscriptions", "summaries")
"""Tables of which a book has one row, or few that are live: its name alone leads to them."""
ORDERING = ("accounts_by_standing", "accounts_by_balance", "accounts_by_last_entry")
"""Indexes in whose order a page of a worklist is read."""
TRACES = {"accounts_to_look_at", "accounts_by_touch", "crossings_by_time"}
"""Indexes by which it finds the accounts that are not settled."""
BOOK = "acme"


def statements() -> Mapping[str, Sql]:
    """Every statement that runs on the driver, by its name: one that is new cannot be forgotten."""
    found: dict[str, Sql] = {}
    for package in (app.queries, app.store, app.operations):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Sql):
                    found[f"{module.name}.{name}"] = value
    return found | dict(pages())


def pages() -> Iterator[tuple[str, Sql]]:
    """A worklist's statements, which are made for what is asked."""
    some = Filter(standings=(Standing.OVERDRAWN, Standing.DELIGHTED), depths=(Depth.DEEP,), segments=("gold",))
    for wanted in (Filter(), some):
        yield f"matching {wanted}", matching_statement(wanted)
        for order in Order:
            for goes_on in (False, True):
                yield f"by {order} {wanted} {goes_on}", page_statement(order, wanted, goes_on=goes_on)


def test_the_statements_of_an_append_and_of_a_read_are_among_them() -> None:
    assert {
        "app.store.books._LOCK",
        "app.queries.accounts._OPENED",
        "app.queries.entries._NAMED",
    } <= statements().keys()


def test_no_list_is_negated_since_an_empty_one_would_not_mean_the_same_on_both_databases() -> None:
    for name, statement in statements().items():
        text, _ = statement.on_postgres(cast("Any", AnyValue()))
        assert not re.search(r"\bNOT (\w|\.)+ = ANY|\bNOT = ANY|\bNOT \([^()]*= ANY", text), name


@pytest.mark.parametrize("is_filled", [False, True], ids=["empty", "filled"])
async def test_postgresql_finds_rows_by_an_index_on_more_than_the_book(
    postgres: Server, postgres_template: str, is_filled: bool
) -> None:
    """With the plan that is kept for any arguments, in tables that nobody has analysed, or of a book of some size."""
    url = postgres.create_database(f"explained-{is_filled}", template=postgres_template)
    if is_filled:
        await fill(url)
    database = Database(url, role=ROLE)
    async with database.write(BOOK) as tx:
        driver = driver_of(tx)
        for name, statement in statements().items():
            text, values = statement.on_postgres(cast("Any", AnyValue()))
            await driver.execute(f"PREPARE it AS {text}")
            (row,) = await driver.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE it ({', '.join(['NULL'] * len(values))})")
            await driver.execute("DEALLOCATE it")
            plan = list(nodes(row[0][0]["Plan"]))
            used = {node.get("Index Name") for node in plan}
            assert not name.startswith("by ") or used >= TRACES, (name, used)
            for node in plan:
                assert node["Node Type"] != "Seq Scan", (name, node)
                assert leads_to_rows(name, node), (name, node)
                assert not node["Node Type"].startswith("Gather"), (name, node)
                assert not is_sorted_page(node), (name, node)
                assert not is_led_elsewhere(node), (name, node)
    await database.close()


async def fill(url: str) -> None:
    """Twenty thousand accounts of every standing, in the order of their ids, and what PostgreSQL knows of them."""
    standings = ", ".join(f"'{standing.value}'" for standing in Standing)
    told = {"book": f"'{BOOK}'", "generation": "1", "standing": f"(ARRAY[{standings}])[1 + n % {len(Standing)}]"}
    of_type = {Uuid: "lpad(to_hex(n), 32, '0')::uuid", String: "'deep'", Text: "repeat('x', 600)"}
    values = [told.get(column.name, of_type.get(type(column.type), "n * 7919 % 20011")) for column in accounts.columns]
    names = ", ".join(column.name for column in accounts.columns)
    connection = await asyncpg.connect(url)
    await connection.execute(
        f"INSERT INTO accounts ({names}) SELECT {', '.join(values)} FROM generate_series(1, 20000) n"
    )
    await connection.execute("ANALYZE accounts")
    await connection.close()


def is_sorted_page(node: dict[str, Any]) -> bool:
    """Whether accounts are sorted by what a worklist is ordered by: an index has that order."""
    keys = node["Sort Key"] if "Sort" in node["Node Type"] else []
    return any(order.value in key for order in INDEXED for key in keys)


def is_led_elsewhere(node: dict[str, Any]) -> bool:
    """Whether a trace is looked through for more than it tells: by a condition that another index looks better for."""
    return node.get("Index Name") in TRACES and "account_id" in node.get("Filter", "")


def leads_to_rows(name: str, node: dict[str, Any]) -> bool:
    """Whether more than the book is given. A worklist's page has its limit, in the order of an index."""
    table = node.get("Relation Name")
    if table is None or table.startswith(FEW):
        return True
    if name.startswith("by ") and node.get("Index Name") in ORDERING:
        return True
    given = re.findall(r"\((?:\w+\.)*\"?(\w+)\"?\)?(?:::text)? (?:=|<|>|<=|>=) ", node.get("Index Cond", ""))
    return not {"book", "generation"}.issuperset(given)


@pytest.mark.parametrize("listed", [[1, 2], []], ids=["two", "none"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_finds_rows_by_an_index_on_more_than_the_book(bench: Bench, listed: list[int]) -> None:
    """However many values a list has: whoever looks for nobody is not to go through all."""
    with sqlite3.connect(bench.url.removeprefix("sqlite:///")) as connection:
        for name, statement in statements().items():
            steps = explained(connection, statement, listed)
            kept = {step.split()[1] for step in steps if step.startswith(("MATERIALIZE", "CO-ROUTINE"))}
            for step in steps:
                assert not step.startswith("SCAN") or "json" in step or step.split()[1] in kept, (name, step)
                if step.startswith("SEARCH") and " SUBQUERY " not in step:
                    is_of_few = re.search(r"\(book=\?\)", step) is None or any(f" {each}" in step for each in ALIASES)
                    assert is_of_few, (name, step)
                assert not re.search(r"look_again_at>\?|touched_at<\?", step), (name, step)  # nearly all accounts
    connection.close()


ALIASES = (*FEW, "b", "s", "g")


class AnyValue(Mapping[str, Any]):
    """A value for each name; only how many a list has may matter to a plan."""

    def __init__(self, value: Any = (1, 2)) -> None:
        self.value = value

    def __getitem__(self, name: str) -> Any:
        return self.value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Explaining:
    """A connection that explains what it is asked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, text: str, bound: list[Any]) -> sqlite3.Cursor:
        return self.connection.execute(f"EXPLAIN QUERY PLAN {text}", [1] * len(bound))


def explained(connection: sqlite3.Connection, statement: Sql, listed: list[int]) -> list[str]:
    rows = statement.on_sqlite(cast("sqlite3.Connection", Explaining(connection)), AnyValue(listed))
    return [row[3] for row in rows]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)
