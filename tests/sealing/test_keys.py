"""Keys: what is sealed opens in its own place under its own key, and nowhere else."""

import os
from collections.abc import Callable
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import MasterKeyMismatch
from app.sealing.keys import (
    KEY_BYTES,
    NONCE_BYTES,
    Key,
    MasterKey,
    account_place,
    book_place,
    entry_place,
    name_place,
    new_key,
)

KEY = Key(bytes(range(64)))
PLACE = entry_place("acme", UUID(int=1))


@given(plain=st.binary(max_size=200))
def test_what_was_sealed_opens_again(plain: bytes) -> None:
    sealed = KEY.seal(plain, PLACE, entropy=os.urandom)
    assert KEY.open(sealed, PLACE) == plain
    assert len(sealed) == NONCE_BYTES + len(plain) + 16


@pytest.mark.parametrize(
    "other",
    [
        entry_place("acme", UUID(int=2)),
        entry_place("acme2", UUID(int=1)),
        account_place("acme", UUID(int=1)),
        name_place("acme", UUID(int=1)),
        book_place("acme"),
    ],
)
def test_a_blob_moved_elsewhere_does_not_open(other: str) -> None:
    sealed = KEY.seal(b"plain", PLACE, entropy=os.urandom)
    with pytest.raises(InvalidTag):
        KEY.open(sealed, other)


@given(at=st.integers(0, NONCE_BYTES + 5 + 16 - 1), bit=st.integers(0, 7))
def test_a_blob_altered_in_one_bit_does_not_open(at: int, bit: int) -> None:
    sealed = bytearray(KEY.seal(b"plain", PLACE, entropy=os.urandom))
    sealed[at] ^= 1 << bit
    with pytest.raises(InvalidTag):
        KEY.open(bytes(sealed), PLACE)


def test_another_key_opens_nothing_and_gives_other_digests() -> None:
    other = new_key(os.urandom)
    with pytest.raises(InvalidTag):
        other.open(KEY.seal(b"plain", PLACE, entropy=os.urandom), PLACE)
    assert other.digest(b"plain") != KEY.digest(b"plain")


def test_equal_plain_texts_are_sealed_differently_and_digested_the_same() -> None:
    assert KEY.seal(b"plain", PLACE, entropy=os.urandom) != KEY.seal(b"plain", PLACE, entropy=os.urandom)
    assert KEY.digest(b"plain") == KEY.digest(b"plain")
    assert len(KEY.digest(b"")) == 32


def test_a_new_key_is_as_long_as_chance_made_it() -> None:
    assert new_key(bytes).secret == bytes(KEY_BYTES)


def test_a_wrapped_key_opens_under_its_master_key_in_its_place_alone() -> None:
    master = MasterKey(os.urandom(32))
    wrapped = master.wrap(KEY, book_place("acme"), entropy=os.urandom)
    assert master.unwrap(wrapped, book_place("acme")) == KEY
    for opening in (
        lambda: MasterKey(os.urandom(32)).unwrap(wrapped, book_place("acme")),
        lambda: master.unwrap(wrapped, book_place("other")),
        lambda: master.unwrap(wrapped[:-1], book_place("acme")),
    ):
        refuses(opening)


def refuses(opening: Callable[[], Key]) -> None:
    with pytest.raises(MasterKeyMismatch):
        opening()


def test_a_secret_does_not_show_when_a_key_is_printed() -> None:
    secret = b"S" * 32
    for shown in (repr(MasterKey(secret)), str(MasterKey(secret)), repr(Key(secret * 2)), f"{Key(secret * 2)}"):
        assert "SS" not in shown
