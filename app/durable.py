"""Files that are there as they should be after a power cut."""

import os
from pathlib import Path


def put(unready: Path, file: Path) -> None:
    """Give a whole file its name, durably: whoever looks sees what was there before, or all of it."""
    sync(unready)
    unready.replace(file)
    sync(file.absolute().parent)


def sync(path: Path) -> None:
    """What was written to a file, or which files a folder names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
