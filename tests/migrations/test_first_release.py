"""What the first release stored stands after an upgrade as it stood before, and the books go on."""

import os
import uuid
from typing import Any

import pytest

from app.operations.ledger import Ledger
from app.operations.rebuild import rebuild
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.sealing.keys import MasterKey
from app.upgrade import upgrade
from tests.conftest import Bench, Clock
from tests.migrations.conftest import NewDatabase
from tests.migrations.releases import FIRST, restore_first_release
from tests.operations.adopting import STRICT, adopt_wholly

BOOKS = ("acme", "history")


@pytest.fixture
async def upgraded(new_database: NewDatabase) -> Bench:
    """The books of the first release, upgraded; it is the instant at which that release answered."""
    database = new_database()
    await restore_first_release(database)
    await upgrade(database)
    master_key, clock = MasterKey(bytes.fromhex(FIRST["master_key"])), Clock(FIRST["now"])
    ledger = Ledger(database=database, master_key=master_key, now=clock, new_id=uuid.uuid4, entropy=os.urandom)  # noqa: TID251 - a root of its own
    return Bench(
        ledger=ledger, url=str(database.url), clock=clock, book="acme", key_id=FIRST["key_id"], token=FIRST["token"]
    )


async def test_every_answer_is_as_it_was(upgraded: Bench) -> None:
    async with upgraded.client() as client:
        for path, answered in FIRST["read"]:
            assert _lacks(answered, (await client.get(path)).json()) == [], path
    await _assert_sound(upgraded)


async def test_whatever_was_acknowledged_is_replayed(upgraded: Bench) -> None:
    upgraded.clock.pass_days(1)
    posts = [said for said in FIRST["said"] if said["method"] == "POST"]
    async with upgraded.client() as client:
        again = [(await client.post(said["path"], json=said["json"])).json() for said in posts]

    assert [_posted(answer) for answer in again] == [_posted(said["answer"]) for said in posts]
    words = [each.get("outcome", each.get("replayed")) for answer in again for each in _each(answer)]
    assert set(words) == {True, "replayed", "refused"}
    assert words.count("refused") == 1  # of a kind that is none
    await _assert_sound(upgraded)


async def test_the_books_go_on(upgraded: Bench) -> None:
    async with upgraded.client() as client:
        for number, customer in enumerate(("ada@example.com", "bob", "dave", "new")):
            for day, kind in enumerate(("product.failed", "data.breach", "moment.unexpected_gift")):
                upgraded.clock.pass_days(20)
                sent = {"id": f"on-{number}-{day}", "customer": customer, "kind": kind}
                answer = await client.post("/v1/interactions", json=sent)
                assert answer.status_code == 201, answer.text
        undone = {"interaction": {"id": "2"}, "reason": "typo"}
        assert (await client.post("/v1/interactions/reversal", json=undone)).status_code == 201
    await adopt_wholly(upgraded, STRICT)
    upgraded.clock.pass_days(400)
    for book in BOOKS:
        assert (await advance_due(upgraded.ledger, book)).crossings
    await _assert_sound(upgraded)

    for book in BOOKS:
        await rebuild(upgraded.ledger, book)
    await _assert_sound(upgraded)


async def _assert_sound(bench: Bench) -> None:
    for book in BOOKS:
        assert (await verify(bench.ledger, book)).findings == ()


def _each(answer: Any) -> list[Any]:
    """What was posted, alone or in a batch."""
    return list(answer.get("results", [answer]))


def _posted(answer: Any) -> list[Any]:
    """The identifiers and hashes of the entries; None of what was refused."""
    entries = [each.get("entry") for each in _each(answer)]
    return [entry and (entry["id"], entry["position"], entry["hash"]) for entry in entries]


def _lacks(old: Any, new: Any, place: str = "") -> list[str]:
    """Where the newer answer does not say what the older one did; it may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [fault for name in old for fault in _lacks(old[name], new.get(name, "absent"), f"{place}/{name}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [fault for n, pair in enumerate(zip(old, new, strict=True)) for fault in _lacks(*pair, f"{place}/{n}")]
    return [] if old == new else [f"{place}: {old!r} became {new!r}"]
