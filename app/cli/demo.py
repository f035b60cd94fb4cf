"""`goodwill demo`: two invented years of 300 customers, and the worklist that follows from them."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.demo_history import SOURCE, Plan, batches, history, plan_of
from app.cli.demo_passage import happened, print_happened, span_asked, told_by_type
from app.cli.demo_tables import FAR_PAST_DAYS, Holding, holding, print_holding
from app.cli.session import fail, opened_ledger, run
from app.domain.api_key import BOOK_NAMES, SANDBOX_PREFIX, is_book_name, sandbox_of
from app.domain.entry import Head
from app.domain.instant import DAY, SECOND, Instant
from app.domain.sandbox import ADVANCE_DAYS_MAX
from app.operations.ledger import Ledger
from app.operations.open_book import open_book
from app.operations.outcome import Refused
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.operations.sandbox import advance_clock
from app.queries.books import head
from app.queries.ledger_lines import feed

OPENED_BY = "demo"
WIDTH_OF_PAPER = 100  # where no terminal says how wide it is


def demo(
    seed: Annotated[int, typer.Option(min=0, help="another seed: other customers")] = 1,
    customers: Annotated[int, typer.Option(min=1, max=9999)] = 300,
    years: Annotated[int, typer.Option(min=1, max=10)] = 2,
    book: Annotated[str, typer.Option(help="the sandbox that holds the demo, and nothing else")] = "demo",
    advance: Annotated[str | None, typer.Option(help="then let time pass in it: 90d, 12h or P90D")] = None,
) -> None:
    """Fill a sandbox with an invented history and print its worklist; again: print it as it stands now."""
    span = 0 if advance is None else span_asked(advance)
    if span is None:
        fail(f"--advance takes a duration such as 90d, 12h or P90D, at most {ADVANCE_DAYS_MAX} days")
    if not is_book_name(sandbox_of(book)):
        fail(BOOK_NAMES)
    run(_demo(Plan(seed=seed, customers=customers, years=years), sandbox_of(book), span))


async def _demo(plan: Plan, book: str, span: int) -> None:
    console = _console()
    async with opened_ledger(makes=True) as ledger:
        end = await _end(ledger, plan, book)
        posted = await _filled(ledger, plan, book, end)
        if span:
            passage = await advance_clock(ledger, book, by=span)
            found, told = await happened(ledger, book, passage), await told_by_type(ledger, book, passage)
            print_happened(console, passage, found, told)
        held = await holding(ledger, book)
    print_holding(console, held)
    _say_how_to_go_on(plan, book, posted, held, end)


async def _end(ledger: Ledger, plan: Plan, book: str) -> Instant:
    """When the history ends: at the first run's instant, which the book's first entry tells."""
    await open_book(ledger, book)
    async with ledger.database.read(book) as tx:
        stored, first = await head(tx, book), await feed(tx, book, after=0, limit=1)
    assert stored is not None
    if not first:
        return ledger.present(stored) // SECOND * SECOND
    entry, name = first[0].entry, _name(book)
    kept = plan_of(entry.external_id) if entry.source == SOURCE else None
    if kept is None:
        fail(f"the book {book} holds entries that are not the demo's: name another one, for example --book {name}-2")
    if kept != plan:
        fail(
            f"the book {book} holds another demo ({kept}).\n"
            f"  to see it:         goodwill demo --book {name} {_options(kept)}\n"
            f"  to have this too:  goodwill demo --book {name}-{plan.seed} {_options(plan)}"
        )
    return entry.value_at + plan.span


async def _filled(ledger: Ledger, plan: Plan, book: str, end: Instant) -> int:
    """Book what the book does not hold yet; how many entries that made."""
    items = history(plan, end=end)
    async with ledger.database.read(book) as tx:
        stored = await head(tx, book)
    assert stored is not None
    if _is_complete(stored, len(items)):
        return 0
    posted = 0
    await begin_replay(ledger, book)
    with _progress() as progress:
        task = progress.add_task(f"living {plan.years} years", total=len(items))
        for batch in batches(items):
            outcomes = await record(ledger, book, batch, api_key_id=OPENED_BY, replay=True)
            for outcome in outcomes:
                if isinstance(outcome, Refused):
                    raise outcome.refusal
                posted += not outcome.replayed
            progress.advance(task, len(batch))
    await end_replay(ledger, book)
    return posted


def _is_complete(stored: Head, items: int) -> bool:
    """A history that was cut off goes on; one that is complete stays, whatever was posted since."""
    return not stored.replaying and stored.replayed_to >= items


def _say_how_to_go_on(plan: Plan, book: str, posted: int, found: Holding, end: Instant) -> None:
    age_days, name = (found.at - end) // DAY, _name(book)
    print()
    if posted:
        print(f"The book {book} was filled with {posted:,} entries ({plan}).")
    else:
        print(f"The book {book} held this history already ({plan}): nothing was added.")
    if age_days > FAR_PAST_DAYS:
        print(f"It ended {age_days} days ago and has been fading since; a fresh one: goodwill demo --book {name}-fresh")
    print(
        "\nTo go on:\n"
        f"  goodwill demo --book {name} --advance 90d  90 days in a second: what time alone brings\n"
        "  goodwill serve                          the API, and its documentation under /docs\n"
        f"  goodwill verify --book {book:<17}proves that the ledger is whole\n"
        f"  goodwill keys create --book {book:<12}a key to read this book over HTTP"
    )


def _name(book: str) -> str:
    """The sandbox as --book names it."""
    return book.removeprefix(SANDBOX_PREFIX)


def _options(plan: Plan) -> str:
    return f"--seed {plan.seed} --customers {plan.customers} --years {plan.years}"


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _console() -> Console:
    """As wide as the terminal; without one, as wide as COLUMNS says or a page is."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=WIDTH_OF_PAPER)
