"""`goodwill erase`: forgets again whom an older backup brought back."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import InvalidTag

from app.cli.erasures import erasures_in
from app.cli.session import fail, opened_ledger, run
from app.domain.errors import Refusal
from app.operations.erase_customer import erase_again
from app.queries.heads import all_heads

File = Annotated[Path, typer.Argument(help="the list of erasures that lies beside the newest backup")]


def erase(file: File) -> None:
    """Forget again whom a list of erasures names: after an older backup was restored, before it is served."""
    run(_erase(file))


async def _erase(file: Path) -> None:
    listed, failed = erasures_in(file), list[str]()
    async with opened_ledger() as ledger:
        async with ledger.database.oversee() as tx:
            known = {head.book for head, _ in await all_heads(tx)}
        for book, account_ids in listed.items():
            if book not in known:
                print(f"book {book}: not here")
                continue
            again = 0
            for account_id in account_ids:
                try:
                    again += await erase_again(ledger, book, account_id)
                except (Refusal, InvalidTag) as error:
                    failed.append(f"account {account_id} of book {book}: {str(error) or 'its name does not open'}")
            print(f"book {book}: {len(account_ids):,} listed, {again:,} forgotten again")
    if failed:
        fail("not forgotten:\n  " + "\n  ".join(failed))
