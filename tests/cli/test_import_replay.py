"""`goodwill import --replay`: history on a simulated clock."""

import gzip
from pathlib import Path

from app.domain.interaction import Interaction
from app.operations.record import record
from app.operations.replay import begin_replay
from app.queries.books import head
from tests.cli.import_bench import ROWS, Import, counts, none, on_the_ledger
from tests.conftest import Bench


async def test_a_replay_books_history_when_it_happened(bench: Bench, folder: Path, goodwill_import: Import) -> None:
    late = ROWS + "4,bob,2018-02-02,asked,,\n5,bob,2017-10-15,asked,,\n"
    (folder / "rows.csv").write_text(late)

    result = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay", "--batch-size", "2")
    again = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay")

    assert none(read=5, created=5) == counts(result), result.output
    assert none(read=5, replayed=5) == counts(again), again.output
    assert "1 local times never occurred" in result.stdout
    assert "rows lay before what was booked already" in result.stdout
    booked = await on_the_ledger(bench)
    assert [max(entry.value_at for entry in booked[: at + 1]) for at in range(5)] == [e.booked_at for e in booked]
    async with bench.ledger.database.read(bench.book) as tx:
        stands = await head(tx, bench.book)
    assert stands is not None
    assert (stands.replaying, stands.replayed_to) == (False, 5)


async def test_no_history_is_replayed_into_a_live_book(bench: Bench, folder: Path, goodwill_import: Import) -> None:
    live = Interaction(source="crm", id="live", customer="ada", kind="contact.neutral")
    await record(bench.ledger, bench.book, [live], api_key_id=bench.key_id)
    (folder / "rows.csv").write_text(ROWS)

    result = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay")

    assert (result.exit_code, len(await on_the_ledger(bench))) == (1, 1)
    assert "without live entries" in result.stderr


async def test_a_replay_that_was_cut_off_keeps_live_postings_out_until_it_is_run_again(
    bench: Bench, folder: Path, goodwill_import: Import
) -> None:
    content = gzip.compress((ROWS + "4,bob,2018-02-04,asked,,\n" * 300).encode())
    (folder / "rows").write_bytes(content[:-12])

    cut_off = await goodwill_import("rows", "--mapping", "m.toml", "--replay", "--batch-size", "1")
    live = await goodwill_import("-", given=b'{"id":"1","source":"s","customer":"a","kind":"contact.neutral"}')
    ended = await goodwill_import("-", "--replay", given=b"")
    (folder / "rows").write_bytes(content)
    resumed = await goodwill_import("rows", "--mapping", "m.toml", "--replay")

    assert (cut_off.exit_code, live.exit_code, ended.exit_code, resumed.exit_code) == (1, 1, 0, 0), cut_off.output
    assert "damaged" in cut_off.stderr
    assert "run the same command\nagain" in cut_off.stderr
    assert "replaying" in live.stderr
    assert (len(await on_the_ledger(bench)), counts(resumed)["read"]) == (4, 303)


async def test_a_book_that_replays_tells_so(bench: Bench, folder: Path, goodwill_import: Import) -> None:
    await begin_replay(bench.ledger, bench.book)
    (folder / "rows.csv").write_text(ROWS)
    result = await goodwill_import("rows.csv", "--mapping", "m.toml")
    assert (result.exit_code, len(await on_the_ledger(bench))) == (1, 0)
    assert "replaying history" in result.stderr
