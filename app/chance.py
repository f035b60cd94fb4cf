"""Chance, by the kilobyte: asking the system for each few bytes of it costs as much as sealing something with them."""

import os
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
    _fill()
    return chance(size)


def _fill() -> None:
    global _left  # noqa: PLW0603 - whoever reads has the old bytes or the new ones
    _left = BytesIO(os.urandom(_AT_ONCE))


def _forget() -> None:
    global _left  # noqa: PLW0603
    _left = BytesIO()


os.register_at_fork(after_in_child=_forget)  # or the child would take what its parent takes
