"""What strangers hand over may be written in one way only: what is written in another, every program refuses alike."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.other_ways import compact, each_written, harmless, otherwise, written
from tests.cli.strangers import Case, by_both, by_the_page, bytes_of, text_of
from tests.cli.told_files import Json, Told, rehashed, told_of
from tests.conftest import Bench

SOME = 5  # a line in the midst of the export, or an entry of the receipt

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the files are of any


@pytest.fixture
async def told(bench: Bench) -> Told:
    return await told_of(bench)


async def test_an_export_is_written_in_one_way(told: Told) -> None:
    lines, text = told.export, text_of(told.export)
    first, some = lines[0], lines[SOME]
    ways = {
        **written(text),
        **{
            f"first line: {name}": text_of([line, *lines[1:]])
            for name, line in each_written(first, "export", "canonical", "position", "hash").items()
        },
        **{
            f"line: {name}": text_of([*lines[:SOME], line, *lines[SOME + 1 :]])
            for name, line in each_written(some, "position", "points", "sequence", "previous", "hash").items()
        },
        "a line without anything": text_of([*lines[:SOME], "", *lines[SOME:]]),
        "a line too many": text + "\n",
        "lines ended by carriage returns": text.replace("\n", "\r"),
        "another form": text.replace('"export":1', '"export":2'),
    }

    refused_by_all({name: ("export", given, ()) for name, given in ways.items()})
    by_page = {name for name, given in ways.items() if by_the_page(given)}
    assert by_page == {"lists in lists beside it"}, "it knows the chain alone"


async def test_what_a_forger_hashed_anew_is_written_in_the_same_way(told: Told) -> None:
    wrong: dict[str, list[Any]] = {
        "points": [True, None, "1", 2**53, [1]],
        "kind": [None, True, 7, "\ud800", ["x"]],
        "external_id": [7, False],
        "reverses": [7, False, {}],
        "tariff_version": [False, "1"],
        "context": [None, 7],
        "carried": [7, [True]],
        "sealed": ["QR==", "QQ==\n", "Q Q=="],
    }
    ways = {f"{name} is {value!r}": _changed(told, {name: value}) for name, values in wrong.items() for value in values}

    assert by_the_page(_changed(told, {"sealed": "QQ=="}))
    refused_by_all({name: ("export", given, ()) for name, given in ways.items()})
    assert {name for name, given in ways.items() if by_the_page(given)} == set()


async def test_what_a_forger_hashed_anew_keeps_the_laws(told: Told) -> None:
    shown = [json.loads(line) for line in told.export]
    [erased] = [each for each in shown if each.get("kind") == "account.erased"]
    whose = {"account_id": erased["account_id"], "sequence": erased["sequence"] + 1}
    merged = {"kind": "account.merged_into", "reverses": None}
    ways = {
        "a sequence left out": _changed(told, {"sequence": shown[SOME]["sequence"] + 1}),
        "another balance": _changed(told, {"balance_after": shown[SOME]["balance_after"] + 1}),
        "booked before": _changed(told, {"booked_at": shown[SOME - 1]["booked_at"] - 1}),
        "booked before there was anything": _changed(told, {"booked_at": -(2**52)}, at=1),
        "after the erasure": _changed(
            told, {**whose, "balance_after": erased["balance_after"] + shown[-1]["points"]}, at=-1
        ),
        "after a merge": _changed(told, merged, at=1),
        "another position": _changed(told, {"position": 7}),
    }

    refused_by_all({name: ("export", given, ()) for name, given in ways.items()})
    assert by_the_page(ways["another balance"]), "it knows the chain alone"


async def test_checkpoints_are_written_in_one_way(told: Told, tmp_path: Path) -> None:
    lines, text = told.checkpoints, text_of(told.checkpoints)
    hashes = ("previous", "hash", "root", "policy_hash")
    numbers = ("checkpoint", "number", "since", "position", "policy_version")
    second = json.loads(lines[1])
    ways = {
        **written(text),
        **{
            name: text_of([lines[0], line, *lines[2:]])
            for name, line in each_written(lines[1], *hashes, *numbers, "public_key", "signature").items()
        },
        "a line without anything": text_of([*lines[:1], "", *lines[1:]]),
        "a line too many": text + "\n",
        "a message that holds none": text_of([json.dumps({"data": None, **json.loads(each)}) for each in lines]),
        "a time in another zone": text.replace('Z"', '+00:00"'),
        "two of one number": text_of([*lines, json.dumps({**second, "root": second["hash"]})]),
    }
    for n, given in enumerate(ways.values()):
        (tmp_path / str(n)).write_bytes(bytes_of(given))

    export = text_of(told.export)
    refused_by_all({way: ("export", export, ["--checkpoints", str(tmp_path / str(n))]) for n, way in enumerate(ways)})


async def test_a_receipt_is_written_in_one_way(told: Told) -> None:
    text, entry, checkpoint = compact(told.receipt), told.receipt["entries"][1], told.receipt["checkpoints"][0]
    ways = {
        **written(text),
        **each_written(text, "receipt", "canonical"),
        **{
            f"entry: {name}": text.replace(compact(entry), line)
            for name, line in each_written(
                compact(entry), *("position", "points", "sequence", "checkpoint", "previous", "hash")
            ).items()
        },
        **{
            f"checkpoint: {name}": text.replace(compact(checkpoint), line)
            for name, line in each_written(compact(checkpoint), "checkpoint", "number", "root", "signature").items()
        },
        **{
            f"path {way}": text.replace(f'"{node}"', other)
            for node in entry["path"][:1]
            for way, other in otherwise(node).items()
        },
        "a checkpoint twice": compact({**told.receipt, "checkpoints": [checkpoint, *told.receipt["checkpoints"]]}),
    }

    refused_by_all({name: ("receipt", given, ()) for name, given in ways.items()})


async def test_what_says_the_same_in_another_way_holds(told: Told, tmp_path: Path) -> None:
    cases: dict[str, Case] = {}
    for name, given in harmless(text_of(told.checkpoints)).items():
        (tmp_path / name).write_text(given, newline="")
        cases[f"checkpoints: {name}"] = "export", text_of(told.export), ["--checkpoints", str(tmp_path / name)]
    for what, text in (("export", text_of(told.export)), ("receipt", compact(told.receipt) + "\n")):
        cases |= {f"{what}: {name}": (what, given, ()) for name, given in harmless(text).items()}
    cases["receipt: on many lines"] = "receipt", json.dumps(told.receipt, indent=2), ()

    assert {name: each for name, each in by_both(cases).items() if each != (True, True)} == {}
    assert all(by_the_page(given) for what, given, words in cases.values() if what == "export" and not words)


def refused_by_all(cases: Mapping[str, Case]) -> None:
    found = by_both(cases)
    assert {name: each for name, each in found.items() if any(each)} == {}


def _changed(told: Told, values: Json, *, at: int = SOME) -> str:
    """The export with other values in one of its lines, hashed anew."""
    lines = [*told.export]
    lines[at] = json.dumps({**json.loads(lines[at]), **values})
    return text_of(rehashed(lines))
