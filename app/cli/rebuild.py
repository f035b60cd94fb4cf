"""`goodwill rebuild`: folds a book's accounts and crossings again, or says what another policy would change."""

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.progress import progress_bar
from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.domain.audit import LedgerBroken
from app.domain.policy import Policy
from app.domain.policy_document import parse_policy
from app.domain.standing import Place
from app.garbage import leave_alone_what_stays
from app.operations.preview_policy import Preview, preview_policy
from app.operations.read_customer import reading
from app.operations.rebuild import Counted
from app.operations.rebuild import rebuild as rebuild_book

PolicyFile = Annotated[Path | None, typer.Option("--policy", help="a policy to try, as JSON; with --dry-run")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what the policy would change, and change nothing")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="which accounts are drawn where there are too many for all")]


def rebuild(book: Book = None, policy: PolicyFile = None, dry_run: DryRun = False, seed: Seed = 0) -> None:
    """Replace a book's accounts and crossings by what its entries say; postings wait until it is done.

    With --policy FILE --dry-run: how many standings another policy would change, from what to what.
    """
    if (policy is None) == dry_run:
        fail("--policy and --dry-run go together; to adopt a policy, PUT /v1/policy")
    run(_rebuild(book) if policy is None else _preview(book, policy, seed))


async def _rebuild(book: str | None) -> None:
    leave_alone_what_stays()
    async with opened_ledger() as ledger:
        name = await existing_book(ledger, book)
        try:
            with progress_bar(f"rebuilding {name}") as progress:
                rebuilt = await rebuild_book(ledger, name, progress=progress)
        except LedgerBroken as error:
            fail(str(error))
    print(f"book {name}: {rebuilt.entries:,} entries folded")
    print(f"  before  {_counts(rebuilt.before)}")
    print(f"  after   {_counts(rebuilt.after)}")


async def _preview(book: str | None, path: Path, seed: int) -> None:
    policy = _policy_in(path)  # a bad one is refused before anything is opened
    async with opened_ledger() as ledger:
        name = await existing_book(ledger, book)
        with progress_bar(f"trying {path.name} on {name}") as progress:
            async with ledger.database.read(name) as tx:
                view = await reading(ledger, tx, name)
                preview = await preview_policy(view, policy, seed=seed, progress=progress)
    print(f"book {name}: {_changed(preview)}")
    for before, after, count in preview.moves:
        print(f"  {count:>10,}  {_said(before)} -> {_said(after)}")


def _policy_in(path: Path) -> Policy:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"{path} cannot be read as JSON: {error}")
    return parse_policy(document, 0)


def _changed(preview: Preview) -> str:
    drawn = f"a sample of {preview.looked_at:,} of " if preview.is_sample else ""
    return f"{preview.changed:,} standings would change, of {drawn}{preview.accounts:,} accounts"


def _said(place: Place) -> str:
    return f"{place.standing} ({place.depth})" if place.depth else str(place.standing)


def _counts(counted: Counted) -> str:
    return f"{counted.accounts:,} accounts, {counted.crossings:,} crossings"
