"""Files that a book handed over, an export, its checkpoints and a receipt: with texts that programs may trip over."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.cli.export import write_checkpoints, write_export
from app.domain.audit_export import ARRAY
from app.domain.receipt import receipt_shown
from app.operations.erase_customer import erase_customer
from app.operations.read_receipt import read_receipt
from tests.cli.strangers import lines_of
from tests.conftest import Bench
from tests.operations.posting import interaction, post
from tests.operations.signing import sign_all, signing
from tests.operations.stories import TOLD, tell

BREAKS = "\u2028 \u2029 \u0085 \v \f \r"  # where some programs end a line, within a text
ODD = f'é {BREAKS} \u0001 \u007f \\ " 漢 😀'

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Lines of an export and of its checkpoints, and a receipt of one of its customers."""

    export: list[str]
    checkpoints: list[str]
    receipt: Json


async def told_of(bench: Bench) -> Told:
    """A book with reversals and a customer who was forgotten; three checkpoints cover all but the last entry."""
    bench = signing(bench, entries=5)
    account_ids = await tell(bench, bench.book, TOLD)
    await post(bench, interaction(f"odd {ODD}", customer=f"odd {ODD}", context={"channel": ODD}))
    await erase_customer(bench.ledger, bench.book, "carl", api_key_id=bench.key_id)
    await post(bench, interaction(f"more {ODD}", customer="bob", context={"channel": ODD}))
    await sign_all(bench)
    await post(bench, interaction(f"after {ODD}", customer="bob"))
    async with bench.ledger.database.read(bench.book) as tx:
        receipt = await read_receipt(tx, bench.book, account_ids["bob"], after=0, limit=100)
    return Told(
        export=await export_of(bench),
        checkpoints=await checkpoints_of(bench),
        receipt=receipt_shown(receipt),
    )


async def export_of(bench: Bench) -> list[str]:
    """The lines of `goodwill export`."""
    file = io.StringIO()
    await write_export(bench.ledger, bench.book, file)
    return lines_of(file.getvalue())


async def checkpoints_of(bench: Bench) -> list[str]:
    """The lines of `goodwill export --checkpoints`."""
    file = io.StringIO()
    await write_checkpoints(bench.ledger, bench.book, file)
    return lines_of(file.getvalue())


def rehashed(lines: Sequence[str]) -> list[str]:
    """The export with hashes that hold again, whatever was changed in its lines: as a forger hands it over."""
    book, *entries = map(json.loads, lines)
    previous = sha256(f"goodwill/1/{book['book']}".encode()).digest()
    for each in entries:
        own = sha256(previous + _canonical(each)).digest()
        each.update(previous=previous.hex(), hash=own.hex())
        previous = own
    book.update(position=len(entries), hash=previous.hex())
    return [json.dumps(each) for each in (book, *entries)]


def _canonical(entry: Json) -> bytes:
    """What a program hashes that does not look at what it is; of a lone surrogate, as JavaScript writes it."""
    texts = [str(entry["context"]).encode(), base64.b64decode(entry["sealed"])]
    hashes = [sha256(each).hexdigest() for each in texts]
    carried = entry["carried"] and sha256(str(entry["carried"]).encode()).hexdigest()
    array = [1, *(entry[name] for name in ARRAY), *hashes, carried]
    return json.dumps(array, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
