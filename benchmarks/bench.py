"""`make bench` and `make bench-quick`: every figure as a ratio to its floor, in interleaved rounds of one run.

    python -m benchmarks.bench [--quick] [--only post_64,get_balance_64] [--rounds N] [--seconds S] [--preload N]

What the wall between the books costs: `--only get_balance_64,get_balance_64_unwalled` (others: benchmarks/slices.py).
It ends by printing the path of a JSON file, whose `ratios` are the medians. With `--only` nothing is written.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.bars import BARS
from benchmarks.peer_appends import PEERS
from benchmarks.slices import COLD, SLICES, UNWALLED, Slice, memory
from benchmarks.subjects import POSTGRES_SETTINGS, World
from tests.servers import ROOT

RESULTS = ROOT / "benchmarks" / "results"
WARMUP_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured. `postings` are those after which a server's memory is read, if `memory_seconds` allow."""

    rounds: int
    cold_rounds: int  # of them those with the slices that take long
    seconds: float
    preload: int
    import_rows: int
    postings: int
    memory_seconds: float


FULL = Extent(
    rounds=5,
    cold_rounds=3,
    seconds=2.5,
    preload=100_000,
    import_rows=50_000,
    postings=1_000_000,
    memory_seconds=120,
)
QUICK = Extent(
    rounds=3,
    cold_rounds=1,
    seconds=0.5,
    preload=10_000,
    import_rows=6_000,
    postings=8_000,
    memory_seconds=3,
)


def main() -> None:
    """Measure, print, and write what it came to."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that processes of ours end too
    extent: Extent = options.extent
    begun = time.perf_counter()
    header = {**machine.described(options.seed), "postgresql_settings": POSTGRES_SETTINGS, "extent": asdict(extent)}
    with (
        tempfile.TemporaryDirectory(prefix="goodwill-bench-") as folder,
        closing(
            World(Path(folder), preload=extent.preload, import_rows=extent.import_rows, seed=options.seed)
        ) as world,
    ):
        header["versions"]["postgresql"] = asyncio.run(machine.postgres_version(world.postgres.url("postgres")))
        asked = options.only or (list(BARS) if options.quick else [])  # in short, what has a bar alone
        rounds = measured(world, wanted(asked), extent)
        header["at_once"] = world.best_at_once
    figures = report.measured(rounds)
    print("\n".join(["", *report.header(header), "", *report.rates(rounds), "", *report.bars(figures)]))
    print(f"\n{time.perf_counter() - begun:.0f} s in all")
    if not options.only:
        print(_written(header, rounds, figures, is_quick=options.quick))


def wanted(only: list[str]) -> list[str]:
    """The slices that these figures need, or all; without the peers that cannot be had."""
    needed = {name for key in only for name in ((*BARS[key].needs, *BARS[key].best_of) if key in BARS else (key,))}
    names = [name for name in (*SLICES, "memory") if not only or name in needed]
    names += [name for name in UNWALLED if name in needed]
    absent = {peer.name for peer in PEERS if peer.name in names and not peer.is_installed()}
    return [name for name in names if name not in absent]


def measured(world: World, names: list[str], extent: Extent) -> dict[str, list[Slice]]:
    """Each slice once a round, in turn, so that a slow minute of the machine slows all alike; memory at the end."""
    found: dict[str, list[Slice]] = {name: [] for name in names}
    slices = {**SLICES, **UNWALLED}
    cold, warm = ([name for name in names if name in slices and (name in COLD) is is_cold] for is_cold in (True, False))
    for name in warm:
        slices[name](world, WARMUP_SECONDS)
    print("all are up, filled and warm", flush=True)
    for number in range(extent.rounds):
        for name in [*warm, *(cold if number < extent.cold_rounds else [])]:
            found[name].append(slices[name](world, extent.seconds))
            print(f"round {number + 1}: {name} {found[name][-1]['rate']:,.0f}/s", flush=True)
    if "memory" in names:
        found["memory"].append(memory(world, extent.postings, extent.memory_seconds))
        print(f"memory: {found['memory'][0]}", flush=True)
    return found


def _written(
    header: Mapping[str, Any],
    rounds: Mapping[str, list[Slice]],
    figures: Mapping[str, Mapping[str, Any]],
    *,
    is_quick: bool,
) -> Path:
    quick = "-quick" if is_quick else ""
    path = RESULTS / f"{header['date'][:10]}-{header['commit'].replace('+', '-changed')}{quick}.json"
    path.parent.mkdir(exist_ok=True)
    document = {**header, "ratios": report.ratios(figures), "figures": figures, "slices": rounds}
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="every figure as a ratio to its floor")
    parser.add_argument("--quick", action="store_true", help="short slices over small books")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help="figures or slices, by name")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each slice in each round")
    parser.add_argument("--preload", type=int, help="entries in each book before it is measured")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    given = {name: value for name in ("rounds", "seconds", "preload") if (value := getattr(options, name))}
    options.extent = replace(QUICK if options.quick else FULL, **given)
    return options


if __name__ == "__main__":
    main()
