"""How often Python looks for garbage that only it can find: what we make is nearly all gone without."""

import gc

THRESHOLDS = (10_000, 20, 50)


def leave_alone_what_stays() -> None:
    """What is there now is there until the end: looking through it again and again took a fifth of a rebuild's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
