"""`goodwill import --guess`: a proposal, and nothing posted."""

from pathlib import Path

from tests.cli.import_bench import ROWS, Import, counts, none, on_the_ledger
from tests.conftest import Bench


async def test_a_guess_proposes_a_mapping_that_can_be_used(bench: Bench, folder: Path, goodwill_import: Import) -> None:
    rows = [
        f"{n},c{n % 3},2024-05-0{n} 10:00:00,{'delivery.late' if n % 2 else 'contakt.neutral'},{n}" for n in range(1, 9)
    ]
    (folder / "orders.csv").write_text(
        "order_id;customer_id;created_at;zoent_type;days\n".replace(";", ",") + "\n".join(rows)
    )

    guessed = await goodwill_import("orders.csv", "--guess")

    assert (guessed.exit_code, await on_the_ledger(bench)) == (0, []), guessed.output
    for expected in (
        'source    = "orders"',
        'customer  = "row.customer_id"',
        'value_at  = "row.created_at"',
        'kind_from = "row.zoent_type"',
        'kind = "contact.neutral"',
        'attributes.days_late = "row.days"',
    ):
        assert expected in guessed.stdout
    assert "Valued, not posted" in guessed.stderr
    assert "delivery.late" in guessed.stderr
    (folder / "guessed.toml").write_text(guessed.stdout)
    assert none(read=8, created=8) == counts(await goodwill_import("orders.csv", "--mapping", "guessed.toml"))


async def test_a_guess_with_a_mapping_values_rows_and_posts_nothing(
    bench: Bench, folder: Path, goodwill_import: Import
) -> None:
    (folder / "rows.csv").write_text(ROWS + "4,zoe,never,late,1,\n")
    result = await goodwill_import("rows.csv", "--mapping", "m.toml", "--guess")
    assert (result.exit_code, result.stdout, await on_the_ledger(bench)) == (0, "", [])
    assert "/value_at" in result.stderr
