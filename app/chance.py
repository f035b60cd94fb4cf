"""Chance, by the kilobyte: asking the system for each few bytes of it costs as much as sealing something with them."""

import os
from functools import partial
from io import BytesIO

_AT_ONCE = 4096
_left = BytesIO()


def chance(size: int) -> bytes:
    """So many random bytes, fit for keys and nonces; never the same ones twice, in any thread or process."""
    taken = _left.read(size)
    if len(taken) == size:
        return taken
    if size > _AT_ONCE:
        return os.urandom(size)
    _keep(os.urandom(_AT_ONCE))
    return chance(size)


def _keep(drawn: bytes) -> None:
    global _left  # noqa: PLW0603 - whoever reads has the old bytes or the new ones
    _left = BytesIO(drawn)


os.register_at_fork(after_in_child=partial(_keep, b""))  # or the child would take what its parent takes
