"""What a run came to: its figures, and tables of text."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.bars import BARS, Bar

Rounds = Mapping[str, Sequence[Mapping[str, Any]]]

_COLUMNS = ("p50_ms", "p99_ms", "server_us", "database_us", "own_us")
_HEADS = ("min", "median", "max", "p50 ms", "p99 ms", "server us", "db us", "load us")


def measured(rounds: Rounds) -> dict[str, dict[str, Any]]:
    """Each figure that these slices give: what it was in each round, and which bar it meets."""
    return {key: _figure(bar, values) for key, bar in BARS.items() if (values := _values(bar, rounds))}


def ratios(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """The median of each figure; None for one that could not be measured."""
    return {key: figures[key]["median"] if key in figures else None for key in BARS}


def header(run: Mapping[str, Any]) -> Iterator[str]:
    """On what it was measured, and how much."""
    extent = run["extent"]
    yield f"{run['date']}, commit {run['commit']}, seed {run['seed']}"
    yield ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in run["machine"].items())
    yield ", ".join(f"{name} {value}" for name, value in run["versions"].items())
    given = ", ".join(f"{name}={value}" for name, value in run["postgresql_settings"].items())
    yield f"PostgreSQL from the wheel with {given}, otherwise its defaults; SQLite with WAL and synchronous=FULL"
    cold = f"{extent['cold_rounds']} of imports, folds and peers"
    slices = f"{extent['rounds']} interleaved rounds, {cold}, {extent['seconds']:g} s a slice"
    yield f"{slices}; books of {extent['preload']:,} entries at first"
    yield f"appends at once of each peer, the best of those tried: {run['at_once']}"


def rates(rounds: Rounds) -> Iterator[str]:
    """A line for each slice: what it did a second, and the processor time of each request on all sides."""
    yield f"{'a second':20}" + "".join(f"{head:>11}" for head in _HEADS)
    for name, slices in rounds.items():
        if all("rate" in each for each in slices):
            own = [each["rate"] for each in slices]
            found = "".join(f"{value:>11,.0f}" for value in (min(own), statistics.median(own), max(own)))
            yield f"{name:20}{found}" + "".join(_median(slices, column) for column in _COLUMNS)


def bars(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line for each bar: must, goal, measured, and whether it is met."""
    yield f"{'ratio':20}" + "".join(f"{head:>11}" for head in ("min", "median", "max", "must", "goal", "meets"))
    for key, of in figures.items():
        values = "".join(f"{of[name]:>11,.2f}" for name in ("min", "median", "max", "must", "goal"))
        yield f"{key:20}{values}{of['meets']:>11}"


def _values(bar: Bar, rounds: Rounds) -> list[float]:
    """The figure in each round; none if slices are missing that it needs."""
    best = [name for name in bar.best_of if name in rounds]
    if not set(bar.needs) <= set(rounds) or (bar.best_of and not best):
        return []
    names = [*bar.needs, *best]
    count = min(len(rounds[name]) for name in names)
    return [bar.of({name: rounds[name][number] for name in names}) for number in range(count)]


def _figure(bar: Bar, values: Sequence[float]) -> dict[str, Any]:
    median = statistics.median(values)
    return {
        "what": bar.what,
        "floor": bar.floor,
        "must": bar.must,
        "goal": bar.goal,
        "is_most": bar.is_most,
        "min": round(min(values), 3),
        "median": round(median, 3),
        "max": round(max(values), 3),
        "rounds": [round(value, 3) for value in values],
        "meets": bar.met(median),
    }


def _median(slices: Sequence[Mapping[str, Any]], column: str) -> str:
    values = [each[column] for each in slices if column in each]
    digits = 2 if column.endswith("_ms") else 0
    return f"{statistics.median(values):>11,.{digits}f}" if values else " " * 11
