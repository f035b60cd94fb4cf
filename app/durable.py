"""Files that are there as they should be after a power cut."""

import contextlib
import os
from pathlib import Path


def put(unready: Path, file: Path) -> None:
    """Give a whole file its name, durably: whoever looks sees what was there before, or all of it."""
    sync(unready)
    unready.replace(file)
    sync(file.absolute().parent)


def put_text(text: str, file: Path) -> None:
    """Write a small file anew: whoever looks sees it as it was or as it is now, whatever happens meanwhile."""
    unready = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unready.write_text(text, encoding="utf-8")
        put(unready, file)
    except OSError:
        with contextlib.suppress(OSError):
            unready.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """What was written to a file, or which files a folder names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
