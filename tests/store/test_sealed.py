"""What is personal stands nowhere in the database's files, while those who may read it can."""

import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import make_url

from app.queries.accounts import keys_of
from app.sealing.keys import entry_place
from tests.conftest import Bench
from tests.operations.delivering import all_delivered, delivering, on_loopback, subscribed, tries_of, until
from tests.operations.posting import interaction, ledger_of, post
from tests.postgres import Server
from tests.webhooks.receivers import answering, receiving

CUSTOMER = "zoe.quarzstein@example.com"
NOTE = "wept on the telephone about Ottokar"
ATTRIBUTE = "Kirschallee-77"
REASON = "mistook her for Wilhelmine"
CASE = "case-visible-4711"

TOKEN = "services/T0KEN-of-the-room"
SIGNING = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

PERSONAL = (CUSTOMER, NOTE, ATTRIBUTE, REASON)


async def test_neither_the_file_nor_a_dump_holds_a_name_a_note_or_an_attribute(
    bench: Bench, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bench = on_loopback(bench)
    echoing = answering("200 OK", body=f"thanks for {CUSTOMER}".encode())
    async with receiving(echoing) as receiver, delivering(bench.ledger), bench.client() as client:
        to = await subscribed(bench, receiver.url + TOKEN, secret=SIGNING)
        await post_all(client)
        await until(lambda: all_delivered(bench, to))
        in_answers = await readable(client)
    (attempt,) = await tries_of(bench, to, 1)
    assert CUSTOMER in (attempt.excerpt or "")

    stored = contents_of(bench, request, tmp_path)

    for secret in (*PERSONAL, TOKEN, SIGNING):
        assert [form for form in forms_of(secret) if form in stored] == []
    assert [form for form in forms_of(CASE) if form in stored] != []
    assert CUSTOMER in in_answers
    opened = await contents_opened(bench)
    assert [secret for secret in PERSONAL[1:] if secret not in opened] == []


async def post_all(client: httpx.AsyncClient) -> None:
    body = {
        "id": "1",
        "customer": CUSTOMER,
        "kind": "product.failed",
        "attributes": {"address": ATTRIBUTE},
        "note": NOTE,
        "case": CASE,
    }
    assert (await client.post("/v1/interactions", json=body)).status_code == 201
    batch = {"interactions": [{**body, "id": str(number)} for number in range(2, 30)]}
    assert (await client.post("/v1/interactions/batch", json=batch)).status_code == 200
    reversal = {"interaction": {"id": "2"}, "reason": REASON, "replacement": {**body, "id": "2b"}}
    assert (await client.post("/v1/interactions/reversal", json=reversal)).status_code == 201


async def readable(client: httpx.AsyncClient) -> str:
    """All that the API shows of the customer."""
    name = quote(CUSTOMER, safe="")
    addresses = [f"/v1/customers/{name}", f"/v1/customers/{name}/statement", "/v1/entries", "/v1/customers"]
    return "".join([(await client.get(address)).text for address in addresses])


async def contents_opened(bench: Bench) -> str:
    """What lies sealed in the entries, opened with the keys."""
    entries = await ledger_of(bench)
    async with bench.ledger.database.read(bench.book) as tx:
        keys = await keys_of(tx, bench.book, {entry.account_id for entry in entries}, bench.ledger.master_key)
    plain = [keys[each.account_id].open(each.sealed, entry_place(bench.book, each.entry_id)) for each in entries]
    return b"".join(plain).decode()


def contents_of(bench: Bench, request: pytest.FixtureRequest, folder: Path) -> bytes:
    """Every byte that the database wrote: SQLite's files, the log of changes included, or a dump."""
    if bench.ledger.database.is_sqlite:
        path = Path(make_url(bench.url).database or "")
        files = list(path.parent.glob(path.name + "*"))
        assert path.with_name(path.name + "-wal") in files
        return b"".join(file.read_bytes() for file in files)
    server = request.getfixturevalue("postgres")
    assert isinstance(server, Server)
    dump = folder / "dump.sql"
    subprocess.run([server.pg_dump, "--file", dump, bench.url], check=True)
    return dump.read_bytes()


def forms_of(text: str) -> list[bytes]:
    """As it is, and as a dump writes binary columns."""
    return [text.encode(), text.encode().hex().encode(), text.encode("utf-16-le"), text.upper().encode()]


async def test_a_blob_moved_to_another_entry_does_not_open(bench: Bench) -> None:
    await post(bench, interaction(1, note="one"), interaction(2, note="two"))
    one, two = await ledger_of(bench)
    async with bench.ledger.database.read(bench.book) as tx:
        keys = await keys_of(tx, bench.book, [one.account_id], bench.ledger.master_key)
    key = keys[one.account_id]
    assert b"one" in key.open(one.sealed, entry_place(bench.book, one.entry_id))
    moved = replace(two, sealed=one.sealed)
    with pytest.raises(InvalidTag):
        key.open(moved.sealed, entry_place(bench.book, moved.entry_id))


async def test_two_customers_with_the_same_content_share_no_sealed_byte_and_no_hash(bench: Bench) -> None:
    await post(bench, interaction(1, note="same"), interaction(2, note="same", customer="bob"))
    ada, bob = await ledger_of(bench)
    assert ada.sealed != bob.sealed
    assert ada.content_hash != bob.content_hash
