"""A claim costs the same however much is queued, settled or waiting."""

from sqlalchemy import text

from app.domain.delivery import Queue
from app.store.deliveries import claim, due_query
from tests.conftest import Bench

SETTLED, PENDING = 3_000, 1_000
_FILL = """
INSERT INTO deliveries (book, subscription_id, number, state, created_at, due_at, attempts, tries, settled_at)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {total})
SELECT '{book}', '{subscription}', n, CASE WHEN n <= {settled} THEN 'delivered' ELSE 'pending' END, n,
       CASE WHEN n <= {settled} THEN NULL ELSE n END, 1, 1, CASE WHEN n <= {settled} THEN n END FROM numbers
"""


async def test_a_claim_reads_the_index_of_what_is_due(bench: Bench) -> None:
    is_sqlite = bench.ledger.database.is_sqlite
    queue = Queue(bench.book, bench.ledger.new_id())
    subscription = queue.subscription_id.hex if is_sqlite else str(queue.subscription_id)
    filling = _FILL.format(book=bench.book, subscription=subscription, settled=SETTLED, total=SETTLED + PENDING)
    dialect = bench.ledger.database.url.get_dialect()()
    query = due_query(queue, SETTLED + PENDING // 2, limit=8)
    statement = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})

    async with bench.ledger.database.whole() as tx:
        await tx.execute(text(filling))
        await tx.execute(text("ANALYZE deliveries"))
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        plan = " ".join(str(row) for row in await tx.execute(text(f"{explain} {statement}")))
        claimed = await claim(tx, queue, SETTLED + 10, until=10**9, lease=bench.ledger.new_id(), limit=8, ordered=False)
        again = await claim(tx, queue, SETTLED + 10, until=10**9, lease=bench.ledger.new_id(), limit=8, ordered=True)

    assert "deliveries_due" in plan, plan
    assert [word for word in ("Sort", "TEMP B-TREE", "Seq Scan") if word in plan] == []
    assert claimed == list(range(SETTLED + 1, SETTLED + 9))
    assert again == [SETTLED + 9, SETTLED + 10]
