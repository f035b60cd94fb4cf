"""After a switch an account is still verified and mended."""

from typing import Any

from sqlalchemy import update

from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.tables import accounts
from tests.conftest import Bench
from tests.operations.adopting import SHORT, adopt_wholly
from tests.operations.stories import TOLD, projected, tell


async def test_verify_names_a_mass_spoiled_after_a_switch_and_rebuild_mends_it(bench: Bench) -> None:
    ada = (await tell(bench, bench.book, TOLD))["ada"]
    await adopt_wholly(bench, SHORT)
    sound = await projected(bench, bench.book)
    async with bench.ledger.database.whole() as tx:
        changed = update(accounts).where(accounts.c.account_id == ada)
        await tx.execute(changed.values(credits_lasting=accounts.c.credits_lasting + 1e-6))

    report = await verify(bench.ledger, bench.book)
    assert {(found.law, found.where) for found in report.findings} == {(4, f"account {ada}")}

    await rebuild(bench.ledger, bench.book)
    assert (await verify(bench.ledger, bench.book)).findings == ()
    assert masses(await projected(bench, bench.book)) == masses(sound)


def masses(rows: dict[str, list[dict[str, Any]]]) -> list[tuple[Any, ...]]:
    names = [name for name in rows["accounts"][0] if name.startswith(("credits", "debits", "big", "fresh"))]
    return [tuple(row[name] for name in names) for row in rows["accounts"]]
