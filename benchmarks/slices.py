"""The slices of a round: each measures one thing for so many seconds, and says its rate and what else it found."""

from collections.abc import Callable
from typing import Any

from benchmarks.subjects import World

Slice = dict[str, Any]
Measure = Callable[[World, float], Slice]


def floor(what: str, connections: int) -> Measure:
    """The empty route."""
    return lambda world, seconds: world.load([world.floor], None, what, connections, seconds=seconds)


def ours(what: str, connections: int) -> Measure:
    """One server on PostgreSQL."""
    return lambda world, seconds: world.load([world.server], world.book, what, connections, seconds=seconds)


def sqlite(what: str, connections: int) -> Measure:
    """One server on a SQLite file."""
    return lambda world, seconds: world.load(
        [world.sqlite_server], world.sqlite_book, what, connections, seconds=seconds
    )


def both(what: str, connections: int) -> Measure:
    """Two servers on one PostgreSQL, half of the connections each."""
    return lambda world, seconds: world.load(
        [world.server, world.second_server], world.book, what, connections, seconds=seconds
    )


SLICES: dict[str, Measure] = {
    "floor_post_64": floor("post", 64),
    "post_64": ours("post", 64),
    "post_64_sqlite": sqlite("post", 64),
    "post_2_processes": both("post", 64),
    "floor_post_1": floor("post", 1),
    "post_1": ours("post", 1),
    "floor_get_64": floor("balance", 64),
    "get_balance_64": ours("balance", 64),
    "post_256": ours("post", 256),
}
