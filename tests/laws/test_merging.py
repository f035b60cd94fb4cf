"""The laws hold, and each name leads where it should, under random merges, undoings and erasures."""

import json
from collections import Counter
from itertools import count

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import open_bench
from tests.laws.merging import Merging
from tests.laws.service import Service, running
from tests.laws.test_histories import report
from tests.soaking import so_many

DONE = so_many(60, soak=1_000)
"""Merges, undoings and erasures that were not refused."""
LIMITS = settings(
    max_examples=5,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_the_laws_hold_while_customers_are_merged_released_and_forgotten(database_url: str) -> None:
    with running() as runner:
        bench = runner.run(open_bench(database_url))
        tally: Counter[str] = Counter()
        machine = type("Machine", (Merging,), {"runner": runner, "service": Service(bench), "tally": tally})
        try:
            for number in count():
                run_state_machine_as_test(seed(number)(type("Seeded", (machine,), {})), settings=LIMITS)
                if sum(done for what, done in tally.items() if what.endswith(" done")) >= DONE:
                    break
        finally:
            runner.run(bench.ledger.database.close())
            report(f"{database_url.split(':', maxsplit=1)[0]}: {json.dumps(tally)}")
