"""Writes `first_release.json`: what the first release stored of a short history, and what it answered.

It was run once, on the code of the last commit whose schema was revision 0001, and what it wrote is frozen: the point
is that this release reads what that one wrote. To run it again, from the root of this checkout:

    git worktree add ../first-release 92bbda7
    PYTHONPATH=../first-release python tests/migrations/make_first_release.py > tests/migrations/first_release.json

Chance and the clock are its own, so it writes the same bytes each time.
"""

import asyncio
import base64
import json
import random
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from app.database import Database
from app.domain.api_key import Scope
from app.domain.instant import DAY, HOUR, SECOND
from app.domain.interaction import Interaction
from app.main import Opened, create_app
from app.operations.ledger import Ledger
from app.operations.manage_keys import create_key, revoke_key
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.sealing.keys import MasterKey
from app.settings import Settings
from app.tables import REVISION, metadata

BEGUN = 1_780_000_000 * SECOND
CUSTOMERS = ("ada@example.com", "bob", "Zoë/Łódź+1", "dave")

Said = tuple[str, str, Any]
"""A request: method, path, JSON body."""

DAYS: list[list[Said]] = [
    [
        ("POST", "/v1/interactions", {"id": "1", "customer": "ada@example.com", "kind": "product.failed"}),
        (
            "POST",
            "/v1/interactions",
            {
                "id": "2",
                "customer": "ada@example.com",
                "kind": "wait.excessive",
                "value_at": "2026-05-20T08:00:00+02:00",
                "note": "rang twice: \u00ab nobody answers \u00bb",
                "attributes": {"minutes": 45, "rate": 1.0, "nested": {"b": [1, None], "a": "é"}},
                "channel": "phone",
                "case": "C-1",
                "motive": "problem",
                "cost": 12.5,
            },
        ),
        (
            "POST",
            "/v1/interactions/batch",
            {
                "interactions": [
                    {"id": "3", "customer": "bob", "kind": "refund.fast"},
                    {"id": "4", "customer": "Zoë/Łódź+1", "kind": "moment.unexpected_gift", "source": "erp"},
                    {"id": "5", "customer": "bob", "kind": "contact.neutral"},
                    {"id": "6", "customer": "dave", "kind": "data.breach"},
                    {"id": "6", "customer": "dave", "kind": "data.breach"},
                    {"id": "7", "customer": "dave", "kind": "no.such.kind"},
                ]
            },
        ),
        ("PATCH", "/v1/customers/bob", {"segment": "vip", "value": 7.5}),
    ],
    [
        ("POST", "/v1/interactions/reversal", {"id": "8", "interaction": {"id": "1"}, "reason": "typo"}),
        (
            "POST",
            "/v1/interactions/reversal",
            {
                "id": "12",
                "interaction": {"id": "3"},
                "reason": "another kind",
                "replacement": {"id": "9", "customer": "bob", "kind": "apology.first"},
            },
        ),
        ("PATCH", "/v1/customers/bob", {"segment": "new"}),
        ("PATCH", "/v1/customers/dave", {"value": 0.25}),
    ],
    [
        ("POST", "/v1/interactions", {"id": "10", "customer": "bob", "kind": "wait.excessive"}),
        ("POST", "/v1/interactions", {"id": "11", "customer": "ada@example.com", "kind": "moment.unexpected_gift"}),
    ],
]
READS = [
    path
    for customer in ("ada@example.com", "bob", "Zo%C3%AB%2F%C5%81%C3%B3d%C5%BA+1", "dave")
    for path in (f"/v1/customers/{customer}", f"/v1/customers/{customer}/crossings")
] + ["/v1/entries", "/v1/customers?standing=overdrawn"]


class Present:
    """A clock that stands still between what is said."""

    now = BEGUN

    def __call__(self) -> int:
        return self.now


async def main() -> None:
    assert REVISION == "0001", "this is not the first release's code"
    clock, chance = Present(), random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        async with _ledger(f"sqlite:///{Path(folder) / 'first.sqlite3'}", clock, chance) as ledger:
            key, token = await create_key(ledger, "acme", name="first", scopes=[Scope.ADMIN], source="crm")
            await _others(ledger)
            async with _client(ledger, token.text) as client:
                said = await _told(client, clock)
                read = [(path, (await client.get(path)).json()) for path in READS]
            stored = await _stored(ledger.database)
    written = {
        "master_key": ledger.master_key.secret.hex(),
        "token": token.text,
        "key_id": key.key_id,
        "now": clock.now,
        "said": said,
        "read": read,
        "stored": stored,
    }
    lines = (f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in written.items())
    sys.stdout.write("{" + ",\n".join(lines) + "}\n")


@asynccontextmanager
async def _ledger(url: str, clock: Present, chance: random.Random) -> AsyncGenerator[Ledger]:
    master_key = MasterKey(chance.randbytes(32))
    encoded = base64.b64encode(master_key.secret).decode()
    service = Opened(Settings(database_url=url, master_key=SecretStr(encoded)))
    database = (await service.ledger()).database  # migrated by the first use
    yield Ledger(
        database=database,
        master_key=master_key,
        now=clock,
        new_id=lambda: UUID(bytes=chance.randbytes(16), version=4),
        entropy=chance.randbytes,
    )
    await database.close()


def _client(ledger: Ledger, token: str) -> httpx.AsyncClient:
    service = Opened(Settings(), ledger=ledger)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(service)), base_url="http://first.test", headers=headers
    )


async def _others(ledger: Ledger) -> None:
    """A key that is revoked, and a book whose history was replayed."""
    gone, _ = await create_key(ledger, "acme", name="gone", scopes=[Scope.ACCOUNTS_READ], expires_at=BEGUN + DAY)
    await revoke_key(ledger, "acme", gone.key_id)
    key, _ = await create_key(ledger, "history", name="import", scopes=[Scope.ADMIN])
    await begin_replay(ledger, "history")
    for number in range(6):
        kind = ("product.failed", "refund.fast", "moment.unexpected_gift")[number % 3]
        value_at = BEGUN - (600 - 90 * number) * DAY
        item = Interaction(source="crm", id=str(number), customer="eve", kind=kind, value_at=value_at)
        await record(ledger, "history", [item], api_key_id=key.key_id, replay=True)
    await end_replay(ledger, "history")


async def _told(client: httpx.AsyncClient, clock: Present) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for day in DAYS:
        for method, path, body in day:
            clock.now += HOUR
            answer = await client.request(method, path, json=body)
            said.append(
                {"method": method, "path": path, "json": body, "status": answer.status_code, "answer": answer.json()}
            )
        clock.now += 40 * DAY
    return said


async def _stored(database: Database) -> dict[str, Any]:
    """Each table: the types of its columns, and its rows; bytes and identifiers as hex."""
    async with cast("Any", database).read() as tx:  # as it was then
        return {
            table.name: {
                "columns": {column.name: type(column.type).__name__ for column in table.c},
                "rows": [[_plain(value) for value in row] for row in await tx.execute(select(table))],
            }
            for table in metadata.sorted_tables
        }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | UUID):
        return value.hex() if isinstance(value, bytes) else value.hex
    return value


if __name__ == "__main__":
    asyncio.run(main())
