"""The bars: each figure as a ratio to its floor of the same round, and what it must and should be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peer_appends import PEERS

Round = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure: `of` works it out from slices of one round: all that it `needs`, and what there is of `best_of`.

    `is_most`: it must be at most this, not at least.
    """

    what: str
    floor: str
    must: float
    goal: float
    needs: Sequence[str]
    of: Callable[[Round], float]
    best_of: Sequence[str] = ()
    is_most: bool = False

    def met(self, measured: float) -> str:
        """In a word."""
        sign = -1 if self.is_most else 1
        if sign * measured >= sign * self.goal:
            return "goal"
        return "must" if sign * measured >= sign * self.must else "no"


def _ratio(what: str, floor: str, of: str, to: str, must: float, goal: float) -> Bar:
    return Bar(
        what=what,
        floor=floor,
        must=must,
        goal=goal,
        needs=(of, to),
        of=lambda found: float(found[of]["rate"] / found[to]["rate"]),
    )


def _over_best_peer(found: Round) -> float:
    return float(found["post_64"]["rate"] / max(found[name]["rate"] for name in found if name != "post_64"))


_EMPTY_POST = "FastAPI POST with a pydantic model, no work"
_COPY = "COPY of the same rows, 1,000 a transaction, into the same table"

BARS: dict[str, Bar] = {
    "post_64": _ratio("POST one, 64 connections, PostgreSQL", _EMPTY_POST, "post_64", "floor_post_64", 1.0, 1.3),
    "post_1": _ratio("POST one, 1 connection, PostgreSQL", _EMPTY_POST, "post_1", "floor_post_1", 0.30, 0.40),
    "post_64_sqlite": _ratio(
        "POST one, 64 connections, SQLite", _EMPTY_POST, "post_64_sqlite", "floor_post_64", 0.9, 1.2
    ),
    "get_balance_64": _ratio(
        "GET balance, 64 connections", "FastAPI GET of a constant", "get_balance_64", "floor_get_64", 1.2, 1.5
    ),
    "batch_1000": _ratio("batches of 1,000, entries", _COPY, "batch_1000", "copy_1000", 0.33, 0.45),
    "import": _ratio("`goodwill import`, rows", _COPY, "import", "copy_1000", 0.30, 0.40),
    "rebuild": _ratio(
        "fold of a rebuild, entries", "reading the same columns, not folded", "fold", "read_entries", 0.30, 0.50
    ),
    "post_2_processes": _ratio(
        "POST one, 64 connections, 2 processes", "1 process", "post_2_processes", "post_64", 1.3, 1.6
    ),
    "post_p99_over_p50": Bar(
        what="p99 of POST at 64 connections",
        floor="its p50",
        must=4,
        goal=3,
        needs=("post_64",),
        of=lambda found: float(found["post_64"]["p99_ms"] / found["post_64"]["p50_ms"]),
        is_most=True,
    ),
    "rss_mb": Bar(
        what="resident memory of a server process at the end, MB",
        floor="",
        must=130,
        goal=100,
        needs=("memory",),
        of=lambda found: float(found["memory"]["megabytes"]),
        is_most=True,
    ),
    "post_over_best_peer": Bar(
        what="POST one over HTTP, 64 connections",
        floor="single appends of the best peer, in process",
        must=1.6,
        goal=2.0,
        needs=("post_64",),
        best_of=[peer.name for peer in PEERS],
        of=_over_best_peer,
    ),
}
