"""`goodwill import`, from a file to the ledger."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.import_bench import MAPPING, ROWS, Import, counts, none, on_the_ledger
from tests.conftest import Bench


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: b"\xef\xbb\xbf" + text])
async def test_a_file_is_imported_once_however_often_it_is(
    bench: Bench, folder: Path, goodwill_import: Import, pack: Callable[[bytes], bytes]
) -> None:
    (folder / "rows").write_bytes(pack(ROWS.encode()))

    first = await goodwill_import("rows", "--mapping", "m.toml")
    again = await goodwill_import("rows", "--mapping", "m.toml", "--batch-size", "2")

    assert none(read=3, created=3) == counts(first), first.output
    assert none(read=3, replayed=3) == counts(again), again.output
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert [(entry.external_id, entry.api_key_id) for entry in await on_the_ledger(bench)] == [
        ("1", "import"),
        ("2", "import"),
        ("3", "import"),
    ]
    assert sorted(os.listdir(folder)) == ["m.toml", "rows"]


async def test_json_lines_need_no_mapping(bench: Bench, folder: Path, goodwill_import: Import) -> None:
    rows = [
        {"id": "1", "source": "app", "customer": "ada", "kind": "contact.neutral"},
        {"id": "2", "customer": "ada", "kind": "delivery.late", "attributes": {"days_late": 2}},
    ]
    text = "\n".join(json.dumps(row) for row in rows).encode()

    result = await goodwill_import("-", "--source", "crm", given=text)

    assert none(read=2, created=2) == counts(result), result.output
    assert [(entry.source, entry.external_id) for entry in await on_the_ledger(bench)] == [("app", "1"), ("crm", "2")]


async def test_rejects_name_line_and_reason_and_stop_nothing(
    bench: Bench, folder: Path, goodwill_import: Import
) -> None:
    bad = '4,zoe,never,late,1,\n5,zoe,2018-02-05,lost,1,\n6,,2018-02-05,asked,,"a\nb"\n7,zoe,2018-02-05,late,"x",\n'
    short = "8,zoe\n"
    changed = "1,ada,2018-02-01 10:00:00,late,4,\n9,zoe,2090-01-01,asked,,\n10,zoe,2018-02-06,asked,,\n"
    (folder / "rows.csv").write_text(ROWS + bad + short + changed)

    result = await goodwill_import("rows.csv", "--mapping", "m.toml")

    assert none(read=11, created=4, conflict=1, refused=6) == counts(result), result.output
    assert result.exit_code == 3
    assert "rows.csv.rejects.ndjson" in result.stderr
    rejects = [json.loads(line) for line in (folder / "rows.csv.rejects.ndjson").read_text().splitlines()]
    assert sorted((each["line"], each["errors"][0]["pointer"], each["errors"][0]["code"]) for each in rejects) == [
        (6, "/value_at", "time_invalid"),
        (7, "/kind", "unmapped_kind"),
        (8, "/customer", "missing"),
        (10, "/attributes/days_late", "expression_failed"),
        (11, "", "csv_invalid"),
        (12, "/attributes/days_late", "differs"),
        (13, "/value_at", "time_in_the_future"),
    ]
    assert "zoe" not in (folder / "rows.csv.rejects.ndjson").read_text()


async def test_what_json_cannot_hold_is_refused_as_the_api_would(
    bench: Bench, folder: Path, goodwill_import: Import
) -> None:
    (folder / "m.toml").write_text(MAPPING.replace("int(row.days)", "double(row.days)"))
    head_line = ROWS.splitlines()[0] + "\n"
    (folder / "rows.csv").write_text(
        head_line + f"1,ada,2018-02-01,late,NaN,\n2,ada,2018-02-01,late,1e308,\n3,ada,2018-02-01,asked,,{'n' * 5000}\n"
    )

    result = await goodwill_import("rows.csv", "--mapping", "m.toml", "--rejects", "bad.ndjson")

    assert none(read=3, refused=3) == counts(result), result.output
    codes = [json.loads(line)["errors"][0]["code"] for line in (folder / "bad.ndjson").read_text().splitlines()]
    assert {"number_out_of_range", "too_long"} <= set(codes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rows.csv"], "--guess"),
        (["nowhere.csv", "--mapping", "m.toml"], "nowhere.csv: No such file"),
        (["rows.csv", "--mapping", "nowhere.toml"], "nowhere.toml: No such file"),
        (["rows.csv", "--mapping", "bad.toml"], "bad.toml: kinds.asked.colour: not known here"),
        (["rows.csv", "--mapping", "other.toml"], "row.number"),
        (["rows.csv", "--mapping", "m.toml", "--rejects", "rows.csv"], "may not be the file"),
        (["rows.csv", "--mapping", "m.toml", "--book", "nobody"], "no book nobody"),
    ],
)
async def test_what_cannot_be_imported_is_said_in_a_line_and_nothing_is_posted(
    bench: Bench, folder: Path, goodwill_import: Import, arguments: list[str], message: str
) -> None:
    (folder / "rows.csv").write_text(ROWS)
    (folder / "bad.toml").write_text(MAPPING + "colour = 1\n")
    (folder / "other.toml").write_text(MAPPING.replace("row.nr", "row.number"))

    result = await goodwill_import(*arguments)

    assert (result.exit_code, await on_the_ledger(bench)) == (1, []), result.output
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
