"""The README's table of performance, from a committed result of `make bench`.

    python -m benchmarks.table benchmarks/results/X.json

It rewrites the part of README.md between the two markers; a test holds that it says what the newest result says.
"""

import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.bars import BARS
from benchmarks.machine import git
from tests.servers import ROOT

README = ROOT / "README.md"
RESULTS = "benchmarks/results/*.json"
BEGIN, END = "<!-- of `python -m benchmarks.table` -->\n", "<!-- until here -->\n"


def main() -> None:
    """Write the table of the result that is named, or of the newest."""
    run = json.loads(Path(sys.argv[1]).read_text()) if len(sys.argv) > 1 else newest()
    README.write_text(with_table(README.read_text(), run))


def newest() -> dict[str, Any] | None:
    """The last run of those that are kept, which git tells; who measures anew need not keep it."""
    runs = [json.loads((ROOT / name).read_text()) for name in git("ls-files", "--", RESULTS).splitlines()]
    return max(runs, key=lambda run: str(run["date"]), default=None)


def with_table(text: str, run: Mapping[str, Any] | None) -> str:
    """The text with the part between the markers written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    assert rest, "the markers are missing"
    lines = ["No run is kept yet."] if run is None else table(run)
    return before + BEGIN + "\n".join([*lines, END]) + after


def table(run: Mapping[str, Any]) -> Iterator[str]:
    """Its lines."""
    own, versions, extent = run["machine"], run["versions"], run["extent"]
    yield (
        f"{run['date'][:10]}, commit {run['commit']}: {own['cores']} cores of an {own['model']}, shared by server, load"
        f" and database; PostgreSQL {versions['postgresql']} and SQLite {versions['sqlite']}, every commit synced "
        f"({own['sync_of_a_page_us']:,} µs a page); Python {versions['python']}; books of {extent['preload']:,} "
        f"entries at first. Medians of {extent['rounds']} interleaved rounds, {extent['cold_rounds']} of imports, "
        "folds and peers, with the least and the most."
    )
    yield ""
    yield "| figure | a second | its floor, measured in the same round | a second | ratio |"
    yield "|---|---:|---|---:|---:|"
    for key, bar in BARS.items():
        if key in run["figures"]:
            figure = run["figures"][key]
            pair = [_rate(run, name) for name in bar.needs] if len(bar.needs) == 2 else ["", ""]
            ratio = f"{figure['median']:.2f} ({figure['min']:.2f} to {figure['max']:.2f})"
            yield f"| {bar.what} | {pair[0]} | {bar.floor} | {pair[1]} | {ratio} |"


def _rate(run: Mapping[str, Any], name: str) -> str:
    return f"{statistics.median(each['rate'] for each in run['slices'][name]):,.0f}"


if __name__ == "__main__":
    main()
