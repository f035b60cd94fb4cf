"""Five lines of the application, each broken by itself: `make mutants` shows that the tests of the laws fail each time.

It works on a copy of the project, and prints of each the first test that failed.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_BEHIND = (".git", ".venv", "data", "__pycache__", ".*_cache", ".hypothesis")
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mutant:
    """`line` of a file becomes `broken`; `caught_by` are the rooms of the tests that are to find it."""

    name: str
    file: str
    line: str
    broken: str
    caught_by: tuple[str, ...] = ("tests/laws",)


MUTANTS = (
    Mutant(
        "lock order: the head is read without its lock",
        "app/store/books.py",
        'FROM books b WHERE b.book = :book", lock=True)',
        'FROM books b WHERE b.book = :book", lock=False)',
        ("tests/operations/test_hot.py", "tests/operations/test_concurrency.py"),
    ),
    Mutant(
        "content hash: of something else than what is sealed",
        "app/operations/append.py",
        "return key.seal(plain, entry_place(self.book, entry_id), entropy=self.ledger.entropy), key.digest(plain)",
        "return key.seal(plain, entry_place(self.book, entry_id), entropy=self.ledger.entropy), key.digest(plain[1:])",
    ),
    Mutant(
        "rounding: a standing is decided on what floats left",
        "app/domain/standing.py",
        "HALF_STEP = 5e-7",
        "HALF_STEP = 0.0",
        ("tests/laws", "tests/domain"),
    ),
    Mutant(
        "advance before post: what time did is skipped",
        "app/operations/append.py",
        "advanced, time_crossings = advance(account, self.policy, booked_at)",
        "advanced, time_crossings = advance(account, self.policy, account.masses.at)",
    ),
    Mutant(
        "outbox in the transaction: messages are written a little later, in one of their own",
        "app/operations/record.py",
        "await run(tx, *steps, saving_accounts(append.head, posted), *telling, crossings, saving_head(append.head))",
        """async def later() -> None:
        async with append.ledger.database.write(append.book) as own:
            await run(own, *telling)
    asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(later()))
    await run(tx, *steps, saving_accounts(append.head, posted), crossings, saving_head(append.head))""",
        ("tests/crash/test_crash.py", "tests/laws"),
    ),
)


def failures(mutant: Mutant, folder: Path) -> list[str]:
    """The tests that fail because of it, up to the first or two."""
    file = folder / mutant.file
    sound = file.read_text()
    file.write_text(sound.replace(mutant.line, mutant.broken))
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--maxfail", "1", "--no-header", *mutant.caught_by]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    file.write_text(sound)
    found = FAILED.findall(done.stdout)
    assert found or done.returncode == 0, done.stdout  # the tests ran
    return found


def main() -> int:
    """How many of them no test noticed."""
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="goodwill-mutants-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        for mutant in MUTANTS:
            found = failures(mutant, copy)
            unnoticed += not found
            print(f"{mutant.name}\n  {found[0] if found else 'NO TEST FAILS'}", flush=True)
    return unnoticed


if __name__ == "__main__":
    sys.exit(main())
