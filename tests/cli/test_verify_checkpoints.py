"""An outsider holds an export against checkpoints: whatever was done to either shows, to two programs."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.commands import app
from app.domain.checkpoint import Checkpoint, checkpoint_shown, first_previous, key_text, read_checkpoint
from app.domain.instant import SECOND
from app.domain.merkle import branches_of, root_of
from app.operations.erase_customer import erase_customer
from app.operations.sign_checkpoint import replace_signing_key, signed
from app.sealing.signing import SigningKey
from tests.cli.strangers import by_command, by_javascript, text_of
from tests.cli.told_files import BREAKS, ODD, checkpoints_of, export_of
from tests.conftest import NOON, Bench
from tests.operations.posting import interaction, ledger_of, post
from tests.operations.rewriting import cut_after, rewrite
from tests.operations.signing import sign_all, signing
from tests.operations.stories import TOLD, drop_triggers, tell

FORGER = SigningKey(b"\7" * 32)
Verifier = Callable[..., tuple[bool, str]]


@pytest.fixture
async def bench(bench: Bench) -> Bench:
    """A book of twelve entries, of which three checkpoints cover eleven; there are reversals; carl was forgotten."""
    bench = signing(bench, entries=4)
    await tell(bench, bench.book, TOLD)
    await erase_customer(bench.ledger, bench.book, "carl", api_key_id=bench.key_id)
    await sign_all(bench)
    await post(bench, interaction(f"after {ODD}"))
    return bench


@pytest.fixture(params=[by_command, by_javascript], ids=["command", "javascript"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    found: Verifier = request.param
    return found


def kept_in(folder: Path, lines: list[str]) -> str:
    path = folder / "checkpoints"
    path.write_text(text_of(lines), encoding="utf-8")
    return str(path)


def altered(line: str, **values: Any) -> str:
    return json.dumps({**json.loads(line), **values})


async def test_an_export_holds_against_its_checkpoints_whole_or_from_anywhere_on(
    bench: Bench, verifier: Verifier, tmp_path: Path
) -> None:
    lines, kept = await export_of(bench), await checkpoints_of(bench)
    key = read_checkpoint(kept[0].encode()).public_key
    as_messages = [json.dumps({"type": "checkpoint.signed", "data": json.loads(line)}) for line in kept]
    assert len(kept) == 3
    assert BREAKS in json.loads(lines[-1])["external_id"]

    for some in (kept, kept[1:], kept[-1:], as_messages, [*kept, kept[1]], [kept[2], kept[0], kept[1]]):
        for more in (
            [],
            [f"--key={key_text(key)}"],
            [f"--key={each}" for each in (key_text(FORGER.public_key), key_text(key))],
        ):
            sound, said = verifier("export", text_of(lines), "--checkpoints", kept_in(tmp_path, some), *more)
            assert sound, said


def resigned(lines: list[str], hashes: list[bytes], *instants: int) -> list[str]:
    """All checkpoints made anew over these entries, perhaps at other instants, by somebody who lacks the key."""
    anew: list[Checkpoint] = []
    for each, signed_at in zip_longest(map(read_checkpoint, map(str.encode, lines)), instants):
        covered = hashes[each.since : each.position]
        previous = anew[-1].own_hash if anew else first_previous(each.book)
        statement = replace(
            each,
            previous=previous,
            hash=covered[-1],
            root=root_of(branches_of(covered)),
            signed_at=signed_at or each.signed_at,
            public_key=FORGER.public_key,
        )
        anew.append(signed(statement, FORGER))
    return [json.dumps(checkpoint_shown(each)) for each in anew]


async def test_whatever_was_done_to_the_ledger_shows(
    bench: Bench, verifier: Verifier, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    before, kept = await export_of(bench), await checkpoints_of(bench)
    key = json.loads(kept[0])["public_key"]
    await drop_triggers(bench)
    await cut_after(bench, 10)
    cut = await export_of(bench)
    await rewrite(bench, 2)
    rewritten = await export_of(bench)
    hashes = [entry.hash for entry in await ledger_of(bench)]
    two = resigned(kept[:2], hashes)
    changes: dict[str, tuple[list[str], list[str], list[str]]] = {
        "tail cut": (cut, kept, []),
        "tail cut, the last checkpoint of a later one alone": (cut, kept[2:], []),
        "all rewritten with right hashes": (rewritten, kept[:2], []),
        "all rewritten, and signed by another": (rewritten, two, [f"--key={key}"]),
        "the last one signed by another": (rewritten, [kept[0], two[1]], []),
        "an empty book": (before[:1], kept, []),
    }
    for name, (lines, checkpoints, more) in changes.items():
        with subtests.test(name):
            sound, said = verifier("export", text_of(lines), "--checkpoints", kept_in(tmp_path, checkpoints), *more)
            assert not sound, said
    assert verifier("export", text_of(rewritten))[0], "the ledger by itself is as consistent as ever"
    assert verifier("export", text_of(rewritten), "--checkpoints", kept_in(tmp_path, two))[0], "who trusts anyone"


async def test_whatever_was_done_to_a_checkpoint_shows(
    bench: Bench, verifier: Verifier, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    lines, kept = await export_of(bench), await checkpoints_of(bench)
    shown = json.loads(kept[1])
    changes = {
        "one left out": [kept[0], kept[2]],
        "two of one number": [*kept, resigned(kept, [entry.hash for entry in await ledger_of(bench)])[1]],
        "of another book": [altered(line, book="other") for line in kept],
        "key swapped": [kept[0], altered(kept[1], public_key=key_text(FORGER.public_key)), kept[2]],
        **{
            f"{name} altered": [kept[0], altered(kept[1], **{name: other_than(name, value)}), kept[2]]
            for name, value in shown.items()
        },
    }
    for name, checkpoints in changes.items():
        with subtests.test(name):
            sound, said = verifier("export", text_of(lines), "--checkpoints", kept_in(tmp_path, checkpoints))
            assert not sound, said


def other_than(name: str, value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    return ("1" if value[0] == "0" else "0") + value[1:]


async def test_they_are_signed_one_after_the_other(bench: Bench, verifier: Verifier, tmp_path: Path) -> None:
    """Whole seconds have no fraction in their text."""
    lines, kept = await export_of(bench), await checkpoints_of(bench)
    hashes = [entry.hash for entry in await ledger_of(bench)]
    for instants, expected in (
        ((NOON, NOON + 1, NOON + SECOND), True),
        ((NOON, NOON, NOON + 1), True),
        ((NOON + 1, NOON, NOON + SECOND), False),
    ):
        checkpoints = kept_in(tmp_path, resigned(kept, hashes, *instants))
        sound, said = verifier("export", text_of(lines), "--checkpoints", checkpoints)
        assert sound is expected, said


async def test_a_key_that_was_replaced_is_trusted_by_name(bench: Bench, verifier: Verifier, tmp_path: Path) -> None:
    await replace_signing_key(bench.ledger, bench.book)
    await sign_all(bench)
    lines, kept = await export_of(bench), await checkpoints_of(bench)
    old, new = (json.loads(kept[at])["public_key"] for at in (0, -1))
    assert old != new

    for keys, expected in (([old, new], True), ([old], False), ([new], False), ([], False)):
        words = [f"--key={key}" for key in keys]
        sound, said = verifier("export", text_of(lines), "--checkpoints", kept_in(tmp_path, kept), *words)
        assert sound is expected, said


async def test_the_command_says_what_holds_what_is_not_covered_and_whom_it_trusts(bench: Bench, tmp_path: Path) -> None:
    lines, kept = await export_of(bench), await checkpoints_of(bench)
    key = json.loads(kept[0])["public_key"]
    path = kept_in(tmp_path, kept)

    _, untrusting = by_command("export", text_of(lines), "--checkpoints", path)
    _, trusting = by_command("export", text_of(lines), "--checkpoints", path, f"--key={key}")
    alone = CliRunner().invoke(app, ["verify", "--checkpoints", path]).output
    _, cut = by_command("export", text_of(lines[:9]), "--checkpoints", path)

    assert "checkpoints 1 to 3, up to position 11" in untrusting
    assert "1 entries after it are covered by none" in untrusting
    assert f"signed by {key}; is it the book's? give --key to be sure" in untrusting
    assert f"signed by {key}, as was asked for" in trusting
    assert "sound: checkpoint 3, position 11" in alone
    assert "law 3, checkpoint 3: It covers position 11, which is gone; the last line is at position 8" in cut


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--key", "x", "--receipt", "-"], "--key: "),
        (["--key", "x"], "--key goes with what is signed"),
        (["--key", "x", "--export", "-"], "--key goes with what is signed"),
        (["--checkpoints", "FILE"], "line 1 is no checkpoint"),
        (["--checkpoints", "FILE", "--book", "acme"], "files are verified by themselves"),
        (["--export", "-", "--receipt", "-"], "files are verified by themselves"),
        (["--receipt", "-"], "it is no receipt"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, words: list[str], said: str) -> None:
    path = kept_in(tmp_path, ["{}"])
    ran = CliRunner().invoke(app, ["verify", *[path if word == "FILE" else word for word in words]], input="{}")
    assert (ran.exit_code, said in ran.output) == (1, True), ran.output
