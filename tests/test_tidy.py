"""The house rules that no tool knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTION_LINES_MAX = 40
FILE_LINES_MAX = 250
CODE = ("app", "tests", "migrations", "benchmarks")
SAYS_NOTHING = {"utils", "helpers", "common"}

# Put together here, so that this file does not name them.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "deb." + "debian.org"]
PLACES_OF_ONE_MACHINE = re.compile(r"(?<![\w.~-])/(?:work|root)/\w")


def committable() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        return [str(path.relative_to(ROOT)) for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


FILES = committable()
MODULES = [name for name in FILES if name.startswith(tuple(f"{folder}/" for folder in CODE)) and name.endswith(".py")]


@pytest.mark.parametrize("name", MODULES)
def test_a_file_fits_in_the_head(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("name", MODULES)
def test_a_function_fits_on_a_screen(name: str) -> None:
    long = [function for function, lines in functions(ROOT / name) if lines > FUNCTION_LINES_MAX]
    assert long == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_about(name: str) -> None:
    assert not SAYS_NOTHING & set(Path(name).with_suffix("").parts)


def test_every_room_is_a_package() -> None:
    """import-linter overlooks a folder without `__init__.py`, and so its imports."""
    rooms = {Path(name).parent for name in MODULES if name.startswith("app/")}
    assert [str(room) for room in sorted(rooms) if not (ROOT / room / "__init__.py").exists()] == []


def test_no_file_names_a_registry() -> None:
    named = [(name, host) for name, text in texts() for host in REGISTRIES if host in text]
    assert named == []


def test_no_file_names_a_place_of_one_machine() -> None:
    named = [(name, found[0]) for name, text in texts() if (found := PLACES_OF_ONE_MACHINE.search(text))]
    assert named == []


@pytest.mark.parametrize("name", [each for each in MODULES if each.startswith("app/")])
def test_whatever_is_kept_from_a_check_of_security_says_why(name: str) -> None:
    left_out = re.findall(r"# noqa: ([A-Z0-9, ]*\bS\d{3}[A-Z0-9, ]*)(.*)", (ROOT / name).read_text())
    assert [codes for codes, why in left_out if not re.search(r"[a-z]{4}", why)] == []


def test_every_text_ends_with_a_newline() -> None:
    assert [name for name, text in texts() if text and not text.endswith("\n")] == []


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def texts() -> Iterator[tuple[str, str]]:
    for name in FILES:
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode()
