"""Whether the long forms run: `make soak` sets GOODWILL_SOAK; `make check` runs the short ones."""

import os

SOAKING = bool(os.environ.get("GOODWILL_SOAK"))


def so_many(check: int, *, soak: int) -> int:
    """How many a test tries."""
    return soak if SOAKING else check
