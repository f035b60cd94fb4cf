"""A book is opened once, by whoever comes first, under one master key."""

import asyncio
import os
from dataclasses import replace

import pytest

from app.domain.errors import MasterKeyMismatch
from app.operations.open_book import open_book
from app.sealing.keys import MasterKey
from tests.conftest import Bench


async def test_of_several_openings_at_once_one_opens(bench: Bench) -> None:
    opened = await asyncio.gather(*(open_book(bench.ledger, "new") for _ in range(6)))

    assert sorted(opened) == [False] * 5 + [True]


async def test_a_second_book_is_never_sealed_with_another_master_key(bench: Bench) -> None:
    other = replace(bench.ledger, master_key=MasterKey(os.urandom(32)))

    with pytest.raises(MasterKeyMismatch):
        await open_book(other, "new")
