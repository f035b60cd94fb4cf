"""Whatever stands in a file that is to be verified: two programs say the same of it, in a sentence."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.commands import app
from tests.cli.other_ways import compact
from tests.cli.strangers import Case, by_both, by_command, by_javascript, text_of
from tests.cli.told_files import Json, Told, told_of
from tests.conftest import Bench

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the files are of any
ANYTHING: list[Any] = [None, True, False, 0, 1, -1, 2.5, 2**53, "", "x", "00", [], [None], {}, {"x": 1}]
FUZZED = 150  # of each file


@pytest.fixture
async def told(bench: Bench) -> Told:
    return await told_of(bench)


@pytest.mark.parametrize("option", ["--export", "--receipt", "--checkpoints"])
@pytest.mark.parametrize(("name", "said"), [("gone", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, option: str, name: str, said: str) -> None:
    path = str(tmp_path / name)
    ran = CliRunner().invoke(app, ["verify", option, path])

    assert (ran.exit_code, ran.output) == (1, f"goodwill: {path}: {said}\n")
    is_sound, words = by_javascript("export", "", "--checkpoints", path)
    assert not is_sound
    assert words.count("\n") == 1, words


@once
async def test_a_receipt_without_entries_proves_nothing(told: Told) -> None:
    for nothing in (["entries"], ["entries", "checkpoints"]):
        for program in (by_command, by_javascript):
            is_sound, said = program("receipt", compact({**told.receipt, **{name: [] for name in nothing}}))
            assert not is_sound
            assert "it proves nothing: there is no entry in it" in said


@once
async def test_a_file_without_checkpoints_is_said_to_be_so(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()

    for what, given in (("export", text_of(told.export)), ("receipt", compact(told.receipt))):
        for program in (by_command, by_javascript):
            is_sound, said = program(what, given, "--checkpoints", str(path))
            assert not is_sound
            assert "there is no checkpoint in" in said


@once
async def test_what_a_receipt_lacks_is_named(told: Told) -> None:
    entry = told.receipt["entries"][0]
    without = {name: value for name, value in entry.items() if name != "path"}
    for change, said in (
        ({"entries": [7]}, "goodwill: -: it is no receipt: it is no JSON object\n"),
        ({"entries": [without]}, "goodwill: -: it is no receipt: it has no `path`\n"),
        ({"checkpoints": {}}, "goodwill: -: it is no receipt: its `checkpoints` is not written as it should be\n"),
    ):
        assert by_command("receipt", compact({**told.receipt, **change})) == (False, said)


@once
async def test_both_say_the_same_of_anything_in_the_place_of_anything(told: Told, tmp_path: Path) -> None:
    chance = random.Random(7)
    cases: dict[str, Case] = {}
    for n in range(FUZZED):
        receipt, lines, kept = told.receipt, [*told.export], [*told.checkpoints]
        if n % 3 == 0:
            receipt, what = spoiled(receipt, chance)
            cases[f"receipt {n}: {what}"] = "receipt", compact(receipt), ()
            continue
        changed = lines if n % 3 == 1 else kept
        at = chance.randrange(len(changed))
        shown, what = spoiled(json.loads(changed[at]), chance)
        changed[at] = compact(shown)
        (tmp_path / str(n)).write_text(text_of(kept))
        cases[f"line {at}, {n}: {what}"] = "export", text_of(lines), ["--checkpoints", str(tmp_path / str(n))]

    found = by_both(cases)

    assert {name: each for name, each in found.items() if each[0] is not each[1]} == {}
    assert sum(not each for each, _ in found.values()) > FUZZED / 2


def spoiled(value: Json, chance: random.Random) -> tuple[Json, str]:
    """The object with something else, or nothing, in one place; and what that is."""
    whole = copy.deepcopy(value)
    inner: Any = whole
    place: list[Any] = []
    while True:
        place.append(chance.choice([*inner] if isinstance(inner, dict) else range(len(inner))))
        if not inner[place[-1]] or not isinstance(inner[place[-1]], dict | list) or chance.random() < 0.1:
            break
        inner = inner[place[-1]]
    if chance.random() < 0.1:
        del inner[place[-1]]
        return whole, f"{place} is gone"
    inner[place[-1]] = chance.choice(ANYTHING)
    return whole, f"{place} is {inner[place[-1]]!r}"
