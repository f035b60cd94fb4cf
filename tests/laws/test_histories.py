"""The laws of DESIGN 7 under random histories, against a model that shares no code with the service."""

import ast
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import open_bench
from tests.laws.example import STEPS
from tests.laws.machine import Laws
from tests.laws.service import Service, running
from tests.soaking import SOAKING

EXAMPLES = int(os.environ.get("GOODWILL_LAW_EXAMPLES", "100"))
EXAMPLES_OF_SEED = 5  # the first the simplest; with more of them hypothesis cuts some short
SOAK_MINUTES = float(os.environ.get("GOODWILL_SOAK_MINUTES", "60")) / 2  # of each database

LIMITS = settings(
    max_examples=EXAMPLES_OF_SEED,
    stateful_step_count=STEPS + 1,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # Phase.shrink besides makes a failing history short, in five minutes
    suppress_health_check=list(HealthCheck),
)


def test_the_laws_hold_under_random_histories(database_url: str) -> None:
    with machine_on(database_url) as machine:
        if SOAKING:
            hold_for_long(machine)
        else:
            hold_for_the_same_histories(machine)


def hold_for_the_same_histories(machine: type[Laws]) -> None:
    """The same each time: what fails then is the change that was made."""
    for number in count():
        hold_for_seed(machine, number)
        if machine.tally["whole"] >= EXAMPLES:
            return


def hold_for_long(machine: type[Laws]) -> None:
    """Fresh ones, and all laws after every step; each seed is printed before it is tried."""
    machine.every_step = True
    until = time.monotonic() + 60 * SOAK_MINUTES
    while time.monotonic() < until:
        number = secrets.randbelow(2**32)
        report(f"seed {number}")
        hold_for_seed(machine, number)


def hold_for_seed(machine: type[Laws], number: int) -> None:
    """Some histories that the seed alone decides."""
    run_state_machine_as_test(seed(number)(type("Seeded", (machine,), {})), settings=LIMITS)


@pytest.mark.parametrize("path", [*sorted(Path(__file__).parent.glob("model*.py")), Path(__file__).parent / "wire.py"])
def test_the_model_imports_nothing_of_the_service(path: Path) -> None:
    imported = set(modules_of(ast.parse(path.read_text())))

    assert {name for name in imported if name.split(".")[0] == "app"} == set()
    assert {name for name in imported if name.startswith("tests")} <= {
        f"tests.laws.{each.stem}" for each in path.parent.glob("model*.py")
    }


def modules_of(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module)):
                yield module


def report(line: str) -> None:
    """Say it at once: `pytest -s` shows it, and so does what is shown of a failed test."""
    sys.stdout.write(f"\n{line}\n")
    sys.stdout.flush()


@contextmanager
def machine_on(url: str) -> Iterator[type[Laws]]:
    """The machine on one database and in one event loop; what ran is printed at the end."""
    begun, cpu = time.perf_counter(), time.process_time()
    with running() as runner:
        bench = runner.run(open_bench(url))
        tally: Counter[str] = Counter()
        machine = type("Machine", (Laws,), {"runner": runner, "service": Service(bench), "tally": tally})
        try:
            yield machine
        finally:
            runner.run(bench.ledger.database.close())
            passed = f"{time.perf_counter() - begun:.0f} s, {time.process_time() - cpu:.0f} s of it here"
            report(f"{url.split(':', maxsplit=1)[0]}: {passed}; {dict(tally.most_common())}")
