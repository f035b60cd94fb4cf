"""Records are laid out by hand: each layout is held against its table, and against the rows that are read by name."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table

from app.domain.account import Account, LastEffective, opened
from app.domain.crossing import Cause, Crossing
from app.domain.memory import Masses
from app.domain.standing import Depth, Direction, Place, Standing
from app.records import account_of_record, account_record, crossing_record, entry_of_record, entry_record
from app.rows import account_row, crossing_row, entry_row
from app.tables import accounts, crossings, entries
from tests.domain.test_chain import ENTRY

PLACE = Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED)
ACCOUNT = replace(
    opened(UUID(int=5), 1),
    sequence=2,
    position=3,
    balance=-4,
    masses=Masses(
        at=6, credits=(1.0, 2.0, 3.0, 4.0), debits=(5.0, 6.0, 7.0, 8.0), big=(9.0, 10.0, 11.0, 12.0), fresh=13.0
    ),
    last=LastEffective(value_at=14, sequence=15, direction=Direction.DEBIT),
    last_entry_at=16,
    place=PLACE,
    standing_since=17,
    crossings=18,
    crossed_at=19,
    look_again_at=20,
    touched_at=21,
    segment="gold",
    value=22.5,
    heaviest="[]",
)


def named(table: Table, record: Any) -> dict[str, Any]:
    return dict(zip((column.name for column in table.columns), record, strict=True))


@pytest.mark.parametrize(
    "account", [ACCOUNT, replace(ACCOUNT, last=None, place=Place(standing=Standing.STEADY), heaviest=None)]
)
def test_the_record_of_an_account_is_its_row_and_gives_it_back(account: Account) -> None:
    record = account_record("acme", 7, account)

    row = {**account_row("acme", account), "generation": 7, "from_standing": None, "from_depth": None}
    assert named(accounts, record) == row
    assert account_of_record(record) == account


def test_the_record_of_an_entry_is_its_row_and_gives_it_back() -> None:
    line = replace(ENTRY, external_id="1", reverses=UUID(int=9), context='{"a":1}', silent=True)
    record = entry_record("acme", line)

    assert named(entries, record) == entry_row("acme", line)
    assert entry_of_record(record) == line


def test_the_record_of_a_crossing_is_its_row() -> None:
    crossing = Crossing(at=1, cause=Cause.TIME, before=PLACE, after=Place(standing=Standing.STEADY), position=None)
    beside = {"account_id": UUID(int=5), "ordinal": 2, "announced": True, "recorded_at": 3}

    record = crossing_record("acme", UUID(int=5), 2, crossing, announced=True, recorded_at=3)
    assert named(crossings, record) == {"book": "acme", **beside, **crossing_row(crossing)}
