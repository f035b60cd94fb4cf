"""Erasure: a customer is forgotten. The lines of the account stay, and say nothing of whose it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.entry import Entry

ERASED = "account.erased"
"""The kind of the entry that ends an account. After it there is no account, no key, no name and no promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The request to forget a customer."""

    customer: str


def is_erased(entries: Sequence["Entry"]) -> bool:
    """Whether the customer of these entries, all of one account in order, was forgotten."""
    return bool(entries) and entries[-1].kind == ERASED
