"""`make bench` and `make bench-quick`: every figure as a ratio to its floor, in interleaved rounds of one run.

python -m benchmarks.bench [--quick] [--only post_64,get_balance_64] [--rounds N] [--seconds S]
"""

import argparse
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.bars import BARS
from benchmarks.slices import SLICES, Slice
from benchmarks.subjects import World

Rounds = dict[str, list[Slice]]


def main() -> None:
    """Measure, and print."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that processes of ours end too
    with (
        tempfile.TemporaryDirectory(prefix="goodwill-bench-") as folder,
        closing(World(Path(folder), preload=options.preload, seed=options.seed)) as world,
    ):
        rounds = measured(world, wanted(options.only), options.rounds, options.seconds)
    for line in lines(rounds):
        print(line)


def wanted(only: list[str]) -> list[str]:
    """The slices that these figures need; all if none is named."""
    needed = {name for key in only for name in ((BARS[key].of, BARS[key].to) if key in BARS else (key,))}
    return [name for name in SLICES if not only or name in needed]


def measured(world: World, names: list[str], rounds: int, seconds: float) -> Rounds:
    """Each slice once a round, in turn, so that a slow minute of the machine slows all alike."""
    found: Rounds = {name: [] for name in names}
    for name in names:
        SLICES[name](world, 0.3)  # all are warm before the first round
    for number in range(rounds):
        for name in names:
            found[name].append(SLICES[name](world, seconds))
            print(f"round {number + 1}: {name} {found[name][-1]['rate']:,.0f}/s", flush=True)
    return found


def lines(rounds: Rounds) -> Iterator[str]:
    """The table of rates, and that of ratios."""
    heads = ("min", "median", "max", "p50 ms", "p99 ms", "server us", "db us", "load us")
    yield " " * 20 + "".join(f"{head:>11}" for head in heads)
    for name, slices in rounds.items():
        rates = [each["rate"] for each in slices]
        more = [
            statistics.median(each[key] for each in slices)
            for key in ("p50_ms", "p99_ms", "server_us", "database_us", "own_us")
        ]
        yield (
            f"{name:20}{min(rates):>11,.0f}{statistics.median(rates):>11,.0f}{max(rates):>11,.0f}"
            f"{more[0]:>11.2f}{more[1]:>11.2f}{more[2]:>11.0f}{more[3]:>11.0f}{more[4]:>11.0f}"
        )
    for key, bar in BARS.items():
        if bar.of in rounds and bar.to in rounds:
            ratios = [of["rate"] / to["rate"] for of, to in zip(rounds[bar.of], rounds[bar.to], strict=True)]
            ratio = statistics.median(ratios)
            yield (
                f"{key:20}{min(ratios):>9.2f}{ratio:>9.2f}{max(ratios):>9.2f}   must {bar.must}  goal {bar.goal}  "
                f"met: {bar.met(ratio)}"
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="every figure as a ratio to its floor")
    parser.add_argument("--quick", action="store_true", help="short slices over a small book")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help="figures or slices, by name")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=None, help="of each slice in each round")
    parser.add_argument("--preload", type=int, default=None, help="entries in each book before it is measured")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.seconds = options.seconds or (1.0 if options.quick else 4.0)
    options.preload = options.preload or (20_000 if options.quick else 100_000)
    return options


if __name__ == "__main__":
    main()
