"""Messages in the tests of the operations: opened, and held against what is published of them."""

import json
from typing import Any

from sqlalchemy import RowMapping, select

from app.api.wire_message import MODELS
from app.domain.message import MessageType
from app.queries.accounts import keys_of
from app.queries.books import book_key, head
from app.sealing.keys import message_place
from app.tables import messages
from tests.conftest import Bench


async def message_rows(bench: Bench, book: str | None = None) -> list[RowMapping]:
    """The messages as they are stored, in order; numbered without a gap, the last one as the head says."""
    name = book or bench.book
    async with bench.ledger.database.read(name) as tx:
        query = select(messages).where(messages.c.book == name).order_by(messages.c.number)
        rows = list((await tx.execute(query)).mappings())
        found = await head(tx, name)
    assert found is not None
    assert [row["number"] for row in rows] == list(range(1, found.messages + 1))
    return rows


async def bodies(bench: Bench, book: str | None = None) -> list[dict[str, Any]]:
    """What the messages say; each is what its type's model describes, to the last member."""
    name = book or bench.book
    rows = await message_rows(bench, name)
    async with bench.ledger.database.read(name) as tx:
        ids = {row["account_id"] for row in rows if row["account_id"]}
        keys = await keys_of(tx, name, ids, bench.ledger.master_key)
        own = await book_key(tx, name, bench.ledger.master_key)
    found: list[dict[str, Any]] = []
    for row in rows:
        key = keys[row["account_id"]] if row["account_id"] else own
        body = json.loads(key.open(row["body"], message_place(name, row["message_id"])))
        model = MODELS[MessageType(row["type"])]
        assert json.loads(model.model_validate(body).model_dump_json(by_alias=True)) == body
        assert (body["type"], body["types"]) == (row["type"], json.loads(row["types"]))
        found.append(body)
    return found


async def types(bench: Bench, book: str | None = None) -> list[list[str]]:
    """The types of each message."""
    return [body["types"] for body in await bodies(bench, book)]
