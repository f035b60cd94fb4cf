"""An entry as an export and a receipt show it: what canonical form 1 is made of, and two hashes."""

import base64
from typing import Any

from app.domain.entry import Entry

EXPORT_VERSION = 1


def entry_exported(entry: Entry, previous: bytes) -> dict[str, Any]:
    """The fields of canonical form 1 under their names, in its order; contents where it has their hashes."""
    return {
        "position": entry.position,
        "account_id": str(entry.account_id),
        "sequence": entry.sequence,
        "entry_id": str(entry.entry_id),
        "kind": entry.kind,
        "points": entry.points,
        "balance_after": entry.balance_after,
        "value_at": entry.value_at,
        "booked_at": entry.booked_at,
        "memory": entry.memory.value,
        "source": entry.source,
        "external_id": entry.external_id,
        "tariff_version": entry.tariff_version,
        "api_key_id": entry.api_key_id,
        "reverses": None if entry.reverses is None else str(entry.reverses),
        "context": entry.context,
        "sealed": base64.b64encode(entry.sealed).decode(),
        "carried": entry.carried,
        "previous": previous.hex(),
        "hash": entry.hash.hex(),
    }
