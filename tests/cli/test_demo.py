"""`goodwill demo`: a history that is the same every time, in a book that is open afterwards."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.cli.demo_history import Plan, batches, history, plan_of
from app.cli.demo_tables import Holding, holding, print_holding
from app.domain.instant import DAY
from app.domain.interaction import Interaction, ReversalRequest
from app.domain.standing import Standing
from app.domain.tariff_document import default_tariff
from app.main import Opened
from app.operations.append import Item
from app.operations.ledger import Ledger
from app.operations.outcome import Posted
from app.operations.record import record
from app.operations.verify import verify
from app.queries.ledger_lines import Line, feed
from app.settings import Settings
from tests.conftest import NOON

BOOK = "test_demo"
PLAN = Plan(seed=1, customers=12, years=2)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("GOODWILL_DATABASE_URL", database_url)
    monkeypatch.setenv("GOODWILL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GOODWILL_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")


@pytest.fixture
async def ledger(environment: None) -> AsyncGenerator[Ledger]:
    service = Opened(Settings())
    yield await service.ledger()
    await service.close()


async def demo(*options: str) -> Result:
    """The command, in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["demo", "--customers", "12", *options])


async def held(ledger: Ledger) -> Holding:
    return await holding(ledger, BOOK)


async def test_the_demo_shows_its_worklist_and_says_how_to_go_on(ledger: Ledger) -> None:
    shown = await demo()

    assert shown.exit_code == 0
    assert "Overdrawn, the deepest first" in shown.output
    assert "goodwill verify --book test_demo" in shown.output
    assert max(len(line) for line in shown.output.splitlines()) <= 100


async def test_the_second_run_adds_nothing_and_shows_the_same(ledger: Ledger) -> None:
    await demo()
    first = await held(ledger)
    again = await demo()
    second = await held(ledger)

    assert again.exit_code == 0
    assert "nothing was added" in again.output
    assert (first.entries, first.places) == (second.entries, second.places)


async def test_the_book_is_open_to_live_posts_afterwards_and_another_run_shows_them(ledger: Ledger) -> None:
    await demo()
    live = Interaction(source="crm", id="1", customer="someone.new@example.com", kind="moment.unexpected_gift")
    [posted] = await record(ledger, BOOK, [live], api_key_id="tests")

    assert isinstance(posted, Posted)
    assert (await demo()).exit_code == 0
    assert "someone.new@example.com" in [shown.customer for shown in (await held(ledger)).ready]


async def test_a_run_that_was_cut_off_goes_on(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("app.cli.demo.batches", cut_off)
        assert (await demo()).exit_code == 130
    assert (await demo()).exit_code == 0

    end = (await entries(ledger))[0].entry.value_at + PLAN.span
    assert (await held(ledger)).entries == len(history(PLAN, end=end))


async def test_time_passes_in_the_demo_and_what_happened_is_told_in_order(ledger: Ledger) -> None:
    shown = await demo("--customers", "60", "--advance", "90d")
    again = await demo("--customers", "60", "--advance", "PT12H")

    assert shown.exit_code == again.exit_code == 0
    assert "What happened in 90 days" in shown.output
    days = re.findall(r"^ (\d{4}-\d\d-\d\d)", shown.output, re.MULTILINE)
    assert len(days) >= 10
    assert days == sorted(days)
    assert re.search(r"^[1-9]\d* entries; [1-9]\d* crossings: \d+ to ", shown.output, re.MULTILINE)
    assert re.search(r"^[1-9]\d* messages: \d+ [a-z]+[.]", shown.output, re.MULTILINE)
    assert "fading since; a fresh one: goodwill demo --book demo-fresh" in shown.output
    assert "What happened in 0.5 days" in again.output
    assert max(len(line) for line in shown.output.splitlines()) <= 100
    assert (await verify(ledger, BOOK)).is_sound


@pytest.mark.parametrize("wrong", ["90", "0d", "P1Y", "9999d"])
async def test_what_is_no_duration_is_refused(ledger: Ledger, wrong: str) -> None:
    refused = await demo("--advance", wrong)

    assert refused.exit_code == 1
    assert "--advance takes a duration such as 90d" in refused.stderr


async def test_another_history_is_not_mixed_in(ledger: Ledger) -> None:
    await demo()
    refused = await demo("--seed", "2")

    assert refused.exit_code == 1
    assert "goodwill demo --book demo-2 --seed 2" in refused.stderr


async def test_a_book_with_entries_of_its_own_is_left_alone(ledger: Ledger) -> None:
    await demo("--book", "shop", "--years", "1")
    live = Interaction(source="crm", id="1", customer="ada", kind="apology.first")
    await asyncio.to_thread(CliRunner().invoke, app, ["keys", "create", "--sandbox", "--book", "mine"])
    await record(ledger, "test_mine", [live], api_key_id="tests")

    refused = await demo("--book", "mine")

    assert refused.exit_code == 1
    assert "entries that are not the demo's" in refused.stderr


async def test_the_ledger_shows_reversals_and_late_reports(ledger: Ledger) -> None:
    assert (await demo("--customers", "60")).exit_code == 0
    lines = await entries(ledger)

    assert any(line.entry.reverses for line in lines)
    assert any(line.entry.booked_at - line.entry.value_at > 5 * DAY for line in lines if not line.entry.reverses)


def test_the_same_seed_gives_the_same_history_and_another_seed_another() -> None:
    assert history(PLAN, end=NOON) == history(PLAN, end=NOON)
    assert history(PLAN, end=NOON) != history(Plan(seed=2, customers=12, years=2), end=NOON)


@pytest.mark.parametrize("years", [1, 2, 5])
def test_a_history_lasts_as_long_as_it_says_and_names_its_plan(years: int) -> None:
    plan = Plan(seed=3, customers=200, years=years)
    posted = [item for item in history(plan, end=NOON) if isinstance(item, Interaction)]
    times = [item.value_at for item in posted if item.value_at is not None]

    assert min(times) == times[0] == NOON - plan.span
    assert max(times) < NOON
    assert {plan_of(item.id) for item in posted} == {plan}
    assert {item.kind for item in posted} <= set(default_tariff().kinds)


def test_a_reversal_comes_in_a_later_batch_than_what_it_reverses() -> None:
    items = history(Plan(seed=1, customers=300, years=2), end=NOON)
    booked: set[str] = set()
    reversals = 0
    for batch in batches(items):
        for item in batch:
            if isinstance(item, ReversalRequest):
                assert item.interaction is not None
                assert item.interaction[1] in booked
                reversals += 1
        booked |= {item.id for item in batch if isinstance(item, Interaction)}
    assert 10 <= reversals <= 60


@pytest.mark.parametrize("width", [80, 100])
async def test_three_hundred_customers_leave_somebody_everywhere(ledger: Ledger, width: int) -> None:
    assert (await demo("--customers", "300")).exit_code == 0
    found = await held(ledger)
    console = Console(width=width, record=True, file=StringIO())

    print_holding(console, found)

    assert all(found.count(standing) >= 10 for standing in Standing)
    shown = console.export_text()
    assert max(len(line) for line in shown.splitlines()) <= width
    assert re.search(r"-\d+\.\d Was ins", shown)


def cut_off(items: list[Item]) -> Iterator[list[Item]]:
    """The history up to its middle, where somebody presses Ctrl-C."""
    yield items[: len(items) // 2]
    raise KeyboardInterrupt


async def entries(ledger: Ledger) -> list[Line]:
    async with ledger.database.read(BOOK) as tx:
        return await feed(tx, BOOK, after=0, limit=100_000)
