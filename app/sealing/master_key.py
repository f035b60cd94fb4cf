"""Where the master key comes from: the settings, or a file beside the embedded database."""

import base64
import binascii
import os
from pathlib import Path

from app.domain.errors import MasterKeyMismatch
from app.sealing.keys import MASTER_KEY_BYTES, Entropy, MasterKey

FILE_NAME = "master.key"


def parsed_master_key(text: str) -> MasterKey:
    """The master key from 44 characters of base64 (32 bytes, either alphabet)."""
    try:
        secret = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != MASTER_KEY_BYTES:
        raise MasterKeyMismatch("The master key must be 32 bytes in base64 (44 characters).")
    return MasterKey(secret)


def read_master_key(folder: Path) -> MasterKey | None:
    """The master key kept in `folder`, None if there is none."""
    path = folder / FILE_NAME
    return parsed_master_key(path.read_text()) if path.exists() else None


def create_master_key(folder: Path, *, entropy: Entropy) -> MasterKey:
    """A new master key, written to `folder` with mode 600. Raises FileExistsError rather than replace one."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = entropy(MASTER_KEY_BYTES)
    handle = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(base64.b64encode(secret).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return MasterKey(secret)
