"""An export is verified by strangers: by the verifier of docs/verification.md, and by one that only read its tables."""

import asyncio
import base64
import io
import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from app.cli.commands import app
from app.cli.export import write_export
from app.cli.remembering import HeadsFile
from app.domain.remembered import Mark
from app.operations.erase_customer import erase_customer
from app.operations.merge_customers import merge_customers, unmerge_customer
from tests.cli.strangers import OF_THE_PAGE, PAGE, by_command, by_javascript, text_of
from tests.cli.told_files import BREAKS, ODD, export_of
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.operations.stories import TOLD, tell


async def test_an_export_holds(bench: Bench) -> None:
    lines = await exported(bench)

    assert len(lines) == 11
    assert json.loads(lines[0])["position"] == 10
    assert is_held_by_the_page(lines)
    assert is_held_by_the_tables(lines)


async def test_an_empty_book_exports_its_first_line(bench: Bench) -> None:
    file = io.StringIO()

    assert await write_export(bench.ledger, bench.book, file) == 0
    assert is_held_by_the_page(file.getvalue().splitlines())
    assert is_held_by_the_tables(file.getvalue().splitlines())


async def test_nothing_personal_is_in_it(bench: Bench) -> None:
    whole = "\n".join(await exported(bench))

    assert "note" not in whole
    assert "carl" not in whole


async def test_whatever_is_changed_shows(bench: Bench) -> None:
    lines = await exported(bench)

    for field, value in json.loads(lines[5]).items():
        assert not is_held_by_the_tables([*lines[:5], altered(lines[5], field, value), *lines[6:]]), field
    for field in ("export", "book", "position", "hash", "canonical"):
        changed = altered(lines[0], field, json.loads(lines[0])[field])
        assert not is_held_by_the_tables([changed, *lines[1:]]), field
        assert not is_held_by_the_page([changed, *lines[1:]]), field


async def test_whatever_is_missing_or_moved_shows(bench: Bench) -> None:
    lines = await exported(bench)

    for changed in (
        lines[:-1],
        [*lines[:4], *lines[5:]],
        [*lines[:4], lines[5], lines[4], *lines[6:]],
        [*lines[:4], altered(lines[4], "points", 1), *lines[5:]],
    ):
        assert not is_held_by_the_page(changed)
        assert not is_held_by_the_tables(changed)


async def test_a_verifier_in_javascript_says_the_same_of_every_change(bench: Bench) -> None:
    """Of an export with reversals, promises, merges, one of them undone, and a customer who was forgotten."""
    await tell(bench, bench.book, TOLD)
    for n, customer in enumerate(("ada", ODD)):
        await post(bench, interaction(f"more {n} {ODD}", customer=customer, context={"channel": ODD}))
    await merge_customers(bench.ledger, bench.book, "bob", "carl", api_key_id=bench.key_id)
    await merge_customers(bench.ledger, bench.book, "carl", ODD, api_key_id=bench.key_id)
    await unmerge_customer(bench.ledger, bench.book, "carl", api_key_id=bench.key_id)
    await erase_customer(bench.ledger, bench.book, "ada", api_key_id=bench.key_id)
    lines = await export_of(bench)
    entries = [json.loads(line) for line in lines[1:]]
    assert any(BREAKS in (each["external_id"] or "") for each in entries)
    assert {"account.erased"} <= {each["kind"] for each in entries}
    assert any(each["reverses"] for each in entries)

    assert is_held_by_javascript(lines)
    assert is_held_by_the_command(lines)
    merged = next(n for n, line in enumerate(lines) if '"account.merged_from"' in line)
    last = len(lines) - 1
    changes = {
        "tail cut": lines[:-1],
        "a line gone": [*lines[:4], *lines[5:]],
        "two lines changed places": [*lines[:4], lines[5], lines[4], *lines[6:]],
        "a line twice": [*lines[:5], lines[4], *lines[5:]],
        "a merge gone": [*lines[: merged - 1], *lines[merged + 1 :]],
        "the erasure gone": [line for line in lines if '"account.erased"' not in line],
        **{
            f"{field} of {n}": [*lines[:n], altered(lines[n], field, value), *lines[n + 1 :]]
            for n in (0, merged, last)
            for field, value in json.loads(lines[n]).items()
        },
    }
    for name, changed in changes.items():
        by_strangers = (is_held_by_the_page(changed), is_held_by_the_tables(changed), is_held_by_javascript(changed))
        assert (*by_strangers, is_held_by_the_command(changed)) == (False, False, False, False), name


async def test_the_command_says_which_law_is_broken_where_and_holds_remembered_heads(
    bench: Bench, tmp_path: Path
) -> None:
    lines = await exported(bench)
    first = json.loads(lines[1])
    forged = [lines[0], json.dumps({**first, "points": first["points"] + 1}), *lines[2:]]
    heads = tmp_path / "heads.json"
    mark = Mark(position=10, hash=b"\0" * 32, booked_at=0, policy_version=1, messages=0)
    HeadsFile(heads).keep_noted({bench.book: mark})
    file = tmp_path / "export"

    said = []
    for number, (kept, more) in enumerate(((forged, []), (lines, ["--remember", str(heads)]), (["{}"], []))):
        own = file.with_name(f"export-{number}")
        await asyncio.to_thread(own.write_text, "".join(f"{line}\n" for line in kept), encoding="utf-8")
        said.append(await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--export", str(own), *more]))

    assert [each.exit_code for each in said] == [1, 1, 1]
    assert "law 2, position 1: Its balance_after is" in said[0].stdout
    assert "law 3, position 1: Its hash is not that" in said[0].stdout
    assert "law 3, position 10: It has another hash than is remembered" in said[1].stdout
    assert "its first line is not that of an export" in said[2].stderr


async def exported(bench: Bench) -> list[str]:
    await tell(bench, bench.book, TOLD)
    return await export_of(bench)


def altered(line: str, field: str, value: Any) -> str:
    """Another value of the same type, if the type has one."""
    match value:
        case int():
            other: Any = value + 1
        case str() if field == "sealed":
            other = base64.b64encode(base64.b64decode(value) + b"\0").decode()
        case str():
            other = value[::-1] + "0"
        case _:
            other = "00"
    return json.dumps({**json.loads(line), field: other})


def is_held_by_the_page(lines: list[str]) -> bool:
    ran = subprocess.run(
        [sys.executable, "-c", OF_THE_PAGE], input=text_of(lines).encode(), capture_output=True, check=False
    )
    return ran.returncode == 0


def is_held_by_javascript(lines: list[str]) -> bool:
    return by_javascript("export", text_of(lines))[0]


def is_held_by_the_command(lines: list[str]) -> bool:
    return by_command("export", text_of(lines))[0]


def is_held_by_the_tables(lines: list[str]) -> bool:
    """A second verifier, which makes its canonical bytes by hand."""
    book, *entries = map(json.loads, lines)
    hashed = sha256(f"goodwill/1/{book['book']}".encode()).digest()
    for position, entry in enumerate(entries, start=1):
        if entry["position"] != position or entry["previous"] != hashed.hex():
            return False
        hashed = sha256(hashed + b"[" + ",".join(elements(entry)).encode() + b"]").digest()
        if entry["hash"] != hashed.hex():
            return False
    return bool(
        (book["export"], book["canonical"], book["position"], book["hash"]) == (1, 1, len(entries), hashed.hex())
    )


def elements(entry: dict[str, Any]) -> list[str]:
    hashes = [sha256(entry["context"].encode()).hexdigest(), sha256(base64.b64decode(entry["sealed"])).hexdigest()]
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|", PAGE, flags=re.MULTILINE)
    carried = entry["carried"] and sha256(entry["carried"].encode()).hexdigest()
    return [element(value) for value in [1, *(entry[name] for name in rows), *hashes, carried]]


def element(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(escaped(character) for character in value) + '"'


def escaped(character: str) -> str:
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    if character in short:
        return short[character]
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 else character
