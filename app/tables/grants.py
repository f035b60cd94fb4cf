"""What the service may do with each table on PostgreSQL, and nothing else: see app/wall.py.

It works as a role that may do in one book what is listed here. Two more it becomes for a transaction: the overseer, who
reads across the books, and the one who empties a sandbox. Nobody but the owner changes, deletes or truncates entries.
"""

from collections.abc import Mapping

from sqlalchemy import Table

from app.tables.delivery import attempts, deliveries, messages, subscriptions, summaries
from app.tables.ledger import account_keys, aliases, api_keys, books, entries
from app.tables.projections import accounts, crossings, customer_changes, merges, promises
from app.tables.proofs import checkpoints, signing_keys
from app.tables.rules import policy_adoptions, policy_versions, tariff_versions

ROLE = "goodwill_app"
"""As whom the service works, unless it is told otherwise."""

OVERSEER = "_overseer"
SANDBOX = "_sandbox"
"""What the names of the other two end in; they begin with that of the role that serves."""

Verbs = frozenset[str]

_ADD: Verbs = frozenset({"SELECT", "INSERT"})
_CHANGE: Verbs = _ADD | {"UPDATE"}
_REPLACE: Verbs = _ADD | {"DELETE"}
_ALL: Verbs = _CHANGE | {"DELETE"}

GRANTS: Mapping[Table, Verbs] = {
    books: _CHANGE,
    api_keys: _CHANGE,
    account_keys: _ALL,
    aliases: _REPLACE,
    entries: _ADD,
    tariff_versions: _ADD,
    policy_versions: _ADD,
    policy_adoptions: _ALL,
    accounts: _ALL,
    merges: _ALL,
    customer_changes: _ADD,
    crossings: _REPLACE,
    promises: _ALL,
    messages: _CHANGE,
    subscriptions: _CHANGE,
    deliveries: _CHANGE,
    attempts: _REPLACE,
    summaries: _CHANGE,
    checkpoints: _ADD,
    signing_keys: _CHANGE,
}

OVERSEEN = {
    *(books, api_keys, policy_adoptions, accounts, promises, messages, subscriptions, deliveries, summaries),
    checkpoints,
}
"""What is read across the books: not a line, a name or a key of an account."""

EMPTIED = GRANTS.keys() - {books, api_keys}
"""What whoever empties a sandbox may delete, in a sandbox."""
