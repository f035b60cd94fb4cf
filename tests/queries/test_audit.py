"""What an audit reads of some accounts is found by account, however much else there is."""

from uuid import UUID

from sqlalchemy import text

from app.queries.audit import account_rows, aliases_of, crossing_rows, message_rows, promise_rows, wrapped_keys
from app.queries.customer_changes import customer_changes_of
from app.sql import driver_of
from tests.conftest import Bench

ACCOUNT_IDS = [UUID(int=n) for n in range(100)]
READS = (
    account_rows,
    aliases_of,
    crossing_rows,
    customer_changes_of,
    message_rows,
    promise_rows,
    wrapped_keys,
)


async def test_sqlite_reads_what_there_is_of_some_accounts_by_an_index_on_the_account(bench: Bench) -> None:
    if not bench.ledger.database.is_sqlite:
        return  # PostgreSQL plans by what it has counted, and here is nothing
    for read in READS:
        heard: list[str] = []
        async with bench.ledger.database.read(bench.book) as tx:
            await driver_of(tx).set_trace_callback(heard.append)
            await read(tx, bench.book, ACCOUNT_IDS)
            await driver_of(tx).set_trace_callback(None)
            (plan, *_) = list(await tx.execute(text(f"EXPLAIN QUERY PLAN {heard[-1]}")))
        assert "account_id=?" in plan.detail, (read.__name__, plan.detail)
