"""The schema, a screen a room. The book comes first in every primary and unique key; nothing spans books.

Instants are microseconds since 1970 UTC in BIGINT. What must not change, triggers refuse (migrations).
"""

from app.tables.current import current_accounts, is_current
from app.tables.delivery import attempts, deliveries, messages, subscriptions, summaries
from app.tables.ledger import account_keys, aliases, api_keys, books, entries
from app.tables.projections import accounts, crossings, customer_changes, merges, promises
from app.tables.proofs import checkpoints, signing_keys
from app.tables.rules import policy_adoptions, policy_versions, tariff_versions
from app.tables.shared import metadata

REVISION = "0016"
"""The migration that makes this schema; a test compares it with `migrations/`."""

__all__ = [
    "REVISION",
    "account_keys",
    "accounts",
    "aliases",
    "api_keys",
    "attempts",
    "books",
    "checkpoints",
    "crossings",
    "current_accounts",
    "customer_changes",
    "deliveries",
    "entries",
    "is_current",
    "merges",
    "messages",
    "metadata",
    "policy_adoptions",
    "policy_versions",
    "promises",
    "signing_keys",
    "subscriptions",
    "summaries",
    "tariff_versions",
]
