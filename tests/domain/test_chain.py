"""The chain, worked out by hand as docs/verification.md tells a stranger: with json and hashlib alone."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.domain.chain import canonical_entry, canonical_line, genesis, linked
from app.domain.entry import Entry
from app.domain.plain_json import WHOLE_MAX
from app.domain.policy import Memory

ENTRY = Entry(
    entry_id=UUID("0b0e6f5c-3a51-4f0c-9a4e-2f3f6f1f7a11"),
    kind="delivery.late",
    points=-35,
    value_at=1_779_958_800_000_000,
    memory=Memory.PASSING,
    source="crm é",
    external_id='order "7"\n',
    tariff_version=3,
    api_key_id="a1b2c3d4e5f6",
    reverses=None,
    context='{"channel":"mail","cost":4.5}',
    sealed=b"\x00\x01sealed",
    content_hash=b"c" * 32,
    position=42,
    account_id=UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    sequence=5,
    balance_after=-18,
    booked_at=1_780_000_000_123_456,
    hash=b"",
)

BY_HAND = (
    '[1,42,"7d444840-9dc0-11d1-b245-5ffdce74fad2",5,"0b0e6f5c-3a51-4f0c-9a4e-2f3f6f1f7a11","delivery.late",-35,-18,'
    '1779958800000000,1780000000123456,"passing","crm é","order \\"7\\"\\n",3,"a1b2c3d4e5f6",null,'
    '"CONTEXT","SEALED",null]'
)


GOLDEN = "a05e3c5357d59b0fb555ec2539e700d7a962b180ebaf316584b510c68f1176e6"


def by_hand() -> bytes:
    context = sha256(b'{"channel":"mail","cost":4.5}').hexdigest()
    sealed = sha256(b"\x00\x01sealed").hexdigest()
    return BY_HAND.replace("CONTEXT", context).replace("SEALED", sealed).encode()


def test_the_canonical_bytes_are_those_written_by_hand() -> None:
    assert canonical_entry(ENTRY) == by_hand()
    array = json.loads(by_hand())
    assert len(array) == 19
    assert json.dumps(array, separators=(",", ":"), ensure_ascii=False).encode() == by_hand()


def test_the_chain_begins_with_the_book_and_links_by_sha256() -> None:
    begun = sha256(b"goodwill/1/acme").digest()
    assert genesis("acme") == begun
    assert linked(begun, ENTRY) == sha256(begun + by_hand()).digest()


def test_the_golden_hash_never_changes() -> None:
    """It stands in exports and in other people's verifiers: a new canonical form would be version 2."""
    assert linked(genesis("acme"), ENTRY).hex() == GOLDEN


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("position", 43),
        ("account_id", UUID(int=1)),
        ("sequence", 6),
        ("entry_id", UUID(int=1)),
        ("kind", "delivery.later"),
        ("points", -34),
        ("balance_after", -17),
        ("value_at", 1_779_958_800_000_001),
        ("booked_at", 1_780_000_000_123_457),
        ("memory", Memory.DEEP),
        ("source", "crm e"),
        ("external_id", None),
        ("tariff_version", 4),
        ("api_key_id", "a1b2c3d4e5f7"),
        ("reverses", UUID(int=1)),
        ("context", "{}"),
        ("sealed", b"\x00\x01sealee"),
    ],
)
def test_whatever_is_altered_in_an_entry_breaks_its_link(field: str, other: Any) -> None:
    assert linked(genesis("acme"), replace(ENTRY, **{field: other})) != linked(genesis("acme"), ENTRY)


def test_another_predecessor_breaks_the_link() -> None:
    assert linked(genesis("acme"), ENTRY) != linked(genesis("acme2"), ENTRY)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-WHOLE_MAX, WHOLE_MAX)))
def test_the_bytes_are_those_of_rfc_8785(array: list[int | str | None]) -> None:
    hashes = [sha256(b"{}").hexdigest(), sha256(b"sealed").hexdigest(), None]
    assert canonical_line(array, "{}", b"sealed") == rfc8785.dumps([1, *array, *hashes])


@pytest.mark.parametrize("no_whole", [WHOLE_MAX + 1, -WHOLE_MAX - 1])
def test_what_has_no_bytes_in_this_form_is_refused(no_whole: int) -> None:
    with pytest.raises(ValueError, match="canonical form 1"):
        canonical_line([no_whole], "{}", b"")
    with pytest.raises(UnicodeEncodeError):
        canonical_line(["\ud800"], "{}", b"")
