"""Where the master key comes from: the settings, or a file beside the embedded database."""

import base64
import os
from pathlib import Path

from app.domain.errors import MasterKeyMismatch
from app.durable import sync
from app.sealing.keys import MASTER_KEY_BYTES, Entropy, MasterKey

FILE_NAME = "master.key"


def parsed_master_key(text: str) -> MasterKey:
    """The master key from 44 characters of base64 (32 bytes, either alphabet)."""
    try:
        secret = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:  # not base64, or not even ASCII
        secret = b""
    if len(secret) != MASTER_KEY_BYTES:
        raise MasterKeyMismatch("The master key must be 32 bytes in base64 (44 characters).")
    return MasterKey(secret)


def parsed_other_keys(text: str) -> tuple[bytes, ...]:
    """The secrets of master keys in base64, by commas."""
    return tuple(parsed_master_key(each).secret for each in text.split(",") if each.strip())


def read_master_key(folder: Path) -> MasterKey | None:
    """The master key kept in `folder`, None if there is none."""
    path = folder / FILE_NAME
    return parsed_master_key(path.read_text(errors="replace")) if path.exists() else None


def create_master_key(folder: Path, *, entropy: Entropy) -> MasterKey:
    """A new master key, written to `folder` with mode 600. Raises FileExistsError rather than replace one.

    Whoever looks sees the whole file or none; it is durable before anything is sealed with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    secret = entropy(MASTER_KEY_BYTES)
    unnamed = folder / f".{FILE_NAME}.{entropy(8).hex()}"
    try:
        _write_synced(unnamed, base64.b64encode(secret) + b"\n")
        os.link(unnamed, folder / FILE_NAME)
    finally:
        unnamed.unlink(missing_ok=True)
    sync(folder)
    return MasterKey(secret)


def _write_synced(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
