"""The bars: each figure as a ratio to its floor of the same round, and what it must and should be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure: the rate of slice `of` over that of slice `to`. `is_most`: it must be at most, not at least."""

    what: str
    of: str
    to: str
    must: float
    goal: float
    is_most: bool = False

    def met(self, measured: float) -> str:
        """In a word."""
        sign = -1 if self.is_most else 1
        if sign * measured >= sign * self.goal:
            return "goal"
        return "must" if sign * measured >= sign * self.must else "no"


BARS: dict[str, Bar] = {
    "post_64": Bar(
        what="POST one interaction, 64 connections, durable", of="post_64", to="floor_post_64", must=1.0, goal=1.3
    ),
    "post_1": Bar(what="the same, 1 connection", of="post_1", to="floor_post_1", must=0.30, goal=0.40),
    "post_64_sqlite": Bar(
        what="the same on SQLite, 64 connections", of="post_64_sqlite", to="floor_post_64", must=0.9, goal=1.2
    ),
    "get_balance_64": Bar(
        what="GET balance, 64 connections", of="get_balance_64", to="floor_get_64", must=1.2, goal=1.5
    ),
    "post_2_processes": Bar(
        what="POST one, 2 processes on one PostgreSQL", of="post_2_processes", to="post_64", must=1.3, goal=1.6
    ),
}
