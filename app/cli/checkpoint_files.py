"""Files of checkpoints, as `goodwill export --checkpoints` writes them or as messages came in; and whom one trusts."""

from collections.abc import Sequence
from pathlib import Path

from app.cli.session import fail
from app.domain.checkpoint import Checkpoint, key_of, key_text, read_checkpoint
from app.domain.handed_over import Misshapen


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """The checkpoints of a file by number, or the bodies of messages that hold them; ends the command if one is none.

    The same one several times, as messages may come, is one.
    """
    found: dict[tuple[int, bytes], Checkpoint] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                each = _checkpoint_of(line, f"{path}: line {number}")
                found[each.number, each.own_hash + each.signature] = each
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    if not found:
        fail(f"{path}: there is no checkpoint in the file")
    return [found[key] for key in sorted(found)]


def _checkpoint_of(line: bytes, where: str) -> Checkpoint:
    try:
        return read_checkpoint(line)
    except Misshapen as error:
        fail(f"{where} is no checkpoint: {error}")


def trusted_keys(texts: Sequence[str]) -> list[bytes]:
    """The public keys of `--key`; ends the command if one is none."""
    try:
        return [key_of(text) for text in texts]
    except ValueError as error:
        fail(f"--key: {error}")


def signed_by(checkpoints: Sequence[Checkpoint], trusted: Sequence[bytes]) -> list[str]:
    """Who signed, in lines for people."""
    keys = dict.fromkeys(key_text(each.public_key) for each in checkpoints)
    if trusted:
        return [f"  signed by {key}, as was asked for" for key in keys if key_of(key) in trusted]
    return [f"  signed by {key}; is it the book's? give --key to be sure" for key in keys]
