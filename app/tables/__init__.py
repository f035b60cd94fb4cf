"""The schema, a screen a room. The book comes first in every primary and unique key; nothing spans books.

Instants are microseconds since 1970 UTC in BIGINT. What must not change, triggers refuse (migrations).
"""

from app.tables.delivery import attempts, deliveries, messages, subscriptions, summaries
from app.tables.ledger import account_keys, aliases, api_keys, books, entries
from app.tables.projections import accounts, accounts_next, crossings, promises, segment_changes
from app.tables.rules import policy_adoptions, policy_versions, tariff_versions
from app.tables.shared import metadata

REVISION = "0009"
"""The migration that makes this schema; a test compares it with `migrations/`."""

__all__ = [
    "REVISION",
    "account_keys",
    "accounts",
    "accounts_next",
    "aliases",
    "api_keys",
    "attempts",
    "books",
    "crossings",
    "deliveries",
    "entries",
    "messages",
    "metadata",
    "policy_adoptions",
    "policy_versions",
    "promises",
    "segment_changes",
    "subscriptions",
    "summaries",
    "tariff_versions",
]
