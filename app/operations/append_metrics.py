"""What /metrics tells of appends: how much goes together, and how long its lock and all of it take."""

from prometheus_client import Histogram

append_items = Histogram(
    "goodwill_append_items",
    "Items that went into one append together",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000),
)
append_lock_wait_seconds = Histogram(
    "goodwill_append_lock_wait_seconds",
    "Seconds until an append had its book locked, the connection included",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
append_seconds = Histogram(
    "goodwill_append_seconds",
    "Seconds from the begin of an append to its commit",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
