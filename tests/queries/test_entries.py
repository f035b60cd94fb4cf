"""How entries are found: by an index that leads to one account, however many entries the book has."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from app.queries.entries import _last_effective
from tests.conftest import Bench


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_last_effective_entries_are_read_off_the_accounts_own_index(bench: Bench) -> None:
    query = _last_effective(bench.book, UUID(int=1)).limit(2)
    spelt = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    async with bench.ledger.database.read(bench.book) as tx:
        steps = [row.detail for row in await tx.execute(text(f"EXPLAIN QUERY PLAN {spelt}"))]

    assert steps[0] == "SEARCH entries USING INDEX entries_by_account (book=? AND account_id=?)"
    assert "SEARCH reversal USING INDEX entries_by_reversal (book=? AND reverses=?)" in steps[1]
