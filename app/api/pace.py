"""How fast a caller may go on: requests of one key, and wrong secrets for one key from one address."""

from collections.abc import Hashable
from dataclasses import dataclass

from app.domain.request_errors import TooManyRequests

NAMES_MAX = 10_000  # a process remembers so many; beyond that those who have waited long enough are forgotten first
WRONG_AT_ONCE = 10
WRONG_PER_SECOND = 1.0


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Pace:
    """Token buckets of one process: of each name `at_once`, and `per_second` more as time passes."""

    def __init__(self, per_second: float, at_once: float) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._buckets: dict[Hashable, _Bucket] = {}

    def check(self, name: Hashable, now: float) -> None:
        """TooManyRequests if the name has nothing left at `now`, in seconds of a clock that never goes back."""
        bucket = self._buckets.get(name)
        if bucket is not None and self._filled(bucket, now) < 1:
            raise TooManyRequests("That is more than one caller may ask in so short a time: send the same again.")

    def spend(self, name: Hashable, now: float) -> None:
        """Take one away from what the name has, if it has any."""
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= NAMES_MAX:
                self._forget(now)
            bucket = self._buckets[name] = _Bucket(self._at_once, now)
        bucket.level, bucket.at = max(0.0, self._filled(bucket, now) - 1), now

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(self._at_once, bucket.level + (now - bucket.at) * self._per_second)

    def _forget(self, now: float) -> None:
        kept = {name: each for name, each in self._buckets.items() if self._filled(each, now) < self._at_once}
        self._buckets = kept if len(kept) < NAMES_MAX else {}
