"""An export is verified by strangers: by the verifier of docs/verification.md, and by one that only read its tables."""

import base64
import io
import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.cli.export import write_export
from tests.conftest import Bench
from tests.operations.stories import TOLD, tell

PAGE = (Path(__file__).parents[2] / "docs" / "verification.md").read_text()
[VERIFIER] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


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
    for field in ("book", "position", "hash", "canonical"):
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


async def exported(bench: Bench) -> list[str]:
    await tell(bench, bench.book, TOLD)
    file = io.StringIO()
    await write_export(bench.ledger, bench.book, file)
    return file.getvalue().splitlines()


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
        [sys.executable, "-c", VERIFIER],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return ran.returncode == 0


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
    return bool((book["canonical"], book["position"], book["hash"]) == (1, len(entries), hashed.hex()))


def elements(entry: dict[str, Any]) -> list[str]:
    hashes = [sha256(entry["context"].encode()).hexdigest(), sha256(base64.b64decode(entry["sealed"])).hexdigest()]
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|", PAGE, flags=re.MULTILINE)
    *own, carried = [entry[name] for name in rows]
    return [element(value) for value in [1, *own, *hashes, carried]]


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
