"""A checkpoint is written in one way, and what is written in another is none."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.domain.checkpoint import Checkpoint, checkpoint_shown, key_of, key_text, parsed_checkpoint, read_checkpoint
from app.domain.handed_over import Misshapen

HASHES = st.binary(min_size=32, max_size=32)
CHECKPOINTS = st.builds(
    Checkpoint,
    book=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    number=st.integers(1, 2**53 - 1),
    since=st.integers(0, 2**53 - 1),
    previous=HASHES,
    position=st.integers(1, 2**53 - 1),
    hash=HASHES,
    root=HASHES,
    policy_version=st.integers(1, 2**31 - 1),
    policy_hash=HASHES,
    signed_at=st.integers(0, 2**52) | st.integers(0, 2**32).map(lambda second: second * 1_000_000),
    public_key=HASHES,
    signature=st.binary(min_size=64, max_size=64),
)
SOME = Checkpoint(
    book="acme",
    number=2,
    since=4,
    previous=b"\1" * 32,
    position=9,
    hash=b"\2" * 32,
    root=b"\3" * 32,
    policy_version=1,
    policy_hash=b"\4" * 32,
    signed_at=1_780_000_000_000_001,
    public_key=b"\5" * 32,
    signature=b"\6" * 64,
)


@given(CHECKPOINTS)
def test_what_is_shown_is_read_again(checkpoint: Checkpoint) -> None:
    shown = checkpoint_shown(checkpoint)

    assert read_checkpoint(json.dumps(shown).encode()) == checkpoint
    assert read_checkpoint(json.dumps({"type": "checkpoint.signed", "data": shown}).encode()) == checkpoint
    fields = [value for name, value in shown.items() if name not in ("checkpoint", "signature")]
    assert checkpoint.signed_bytes == rfc8785.dumps(["goodwill-checkpoint/1", *fields])
    assert checkpoint.own_hash == sha256(checkpoint.signed_bytes).digest()


@given(CHECKPOINTS)
def test_the_signature_is_of_every_field(checkpoint: Checkpoint) -> None:
    for name in Checkpoint.__dataclass_fields__:
        value: Any = getattr(checkpoint, name)
        other: Any = value + 1 if isinstance(value, int) else value[::-1] + value[:1]
        changes: dict[str, Any] = {name: other}
        assert (replace(checkpoint, **changes).signed_bytes != checkpoint.signed_bytes) is (name != "signature"), name


@pytest.mark.parametrize(
    "changed",
    [
        {"checkpoint": 2},
        {"number": "2"},
        {"number": 2.5},
        {"number": True},
        {"checkpoint": True},
        {"book": 7},
        {"book": "\ud800"},
        {"hash": "0202"[::-1] * 16 + "g"},
        {"hash": "AB" * 32},
        {"hash": "ab" * 31},
        {"hash": "ab " * 32},
        {"signed_at": "2026-05-28T20:26:40.000001+00:00"},
        {"signed_at": "2026-05-28T20:26:40"},
        {"signed_at": 1_780_000_000_000_001},
        {"public_key": "BQUFBQ"},
        {"public_key": "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQV"},
        {"signature": "?"},
        {"signature": "QR=="},
        {"previous": None},
    ],
)
def test_what_is_written_in_another_way_is_none(changed: dict[str, Any]) -> None:
    shown = checkpoint_shown(SOME)
    assert parsed_checkpoint(shown) == SOME

    with pytest.raises(Misshapen):
        parsed_checkpoint({**shown, **changed})
    for text in ("", "[]", "7", "null", "{}", '{"data": []}', '{"data": {}}', '{"data": null}'):
        with pytest.raises(Misshapen):
            read_checkpoint(text.encode())


def test_a_public_key_is_its_jwk_s_x() -> None:
    """The key of RFC 8037, appendix A."""
    text = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key_of(text).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key_text(key_of(text)) == text
