"""The working set of one append: what was read under the lock, and what will be written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from app.domain.account import Account, LastEffective, opened
from app.domain.crossing import advance
from app.domain.entry import Draft, Entry, Head, apply, moved_on, post
from app.domain.erasure import Erasure
from app.domain.errors import Fault, InvalidInteraction
from app.domain.immutable import immutable
from app.domain.instant import Instant
from app.domain.interaction import SYSTEM_SOURCE, Interaction, ReversalRequest, canonical
from app.domain.merge_errors import CustomersDiffer
from app.domain.policy import Memory, Policy
from app.domain.promise_request import PromiseRequest
from app.domain.share import NOTHING_YET, with_entry
from app.domain.standing import direction_of
from app.domain.tariff import Tariff
from app.operations.causes import Causes
from app.operations.ledger import Ledger
from app.operations.promises import Promises
from app.queries.entries import Pair
from app.sealing.keys import Key, account_place, entry_place, name_place, new_key
from app.store.accounts import Naming, Opening

Item = Interaction | ReversalRequest | PromiseRequest | Erasure


@immutable
class Posting:
    """What is to be posted on an account, before it has an entry id and its content is sealed."""

    kind: str
    points: int
    memory: Memory
    value_at: Instant
    source: str
    external_id: str | None
    tariff_version: int
    api_key_id: str
    reverses: UUID | None = None
    context: str = "{}"
    carried: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merges:
    """What an append meets of merged customers.

    `homes` are the accounts that those lead to which are merged into others; `names` those of whom customers were
    merged into, by their own; `members` what is merged into whom is erased.
    """

    homes: Mapping[UUID, UUID]
    names: Mapping[str, str]
    members: Mapping[UUID, Sequence[UUID]]


@dataclass(slots=True, kw_only=True)
class Append:
    """Read: `head` to `effective`. To be written: `posted` to `namings`; to be destroyed: `erased`.

    `booked_at` is the one instant of a live append, None while history is replayed. If the append is `silent`, nobody
    is told of its entries. If anything is to be reversed, `effective` lists the last effective entries of each account
    that the append touches. `sealed_names` are those by which its accounts were found. `promises` are those that the
    batch names and those that its accounts are due; `promises.changed` is to be written. `api_key_id` is that of
    whoever sent the item that is being decided.
    """

    ledger: Ledger
    head: Head
    now: Instant
    booked_at: Instant | None
    tariff: Tariff
    policy: Policy
    book_key: Key
    known: dict[Pair, Entry]
    targets: dict[UUID, Entry]
    reversals: dict[UUID, UUID]
    account_ids: dict[bytes, UUID]
    accounts: dict[UUID, Account]
    keys: dict[UUID, Key]
    customers: dict[UUID, str]
    effective: dict[UUID, list[tuple[UUID, LastEffective]]]
    promises: Promises
    merges: Merges
    sealed_names: Mapping[UUID, bytes]
    alias_hashes: dict[str, bytes] = field(default_factory=dict[str, bytes])
    silent: bool = False
    api_key_id: str = SYSTEM_SOURCE
    posted: dict[UUID, Account] = field(default_factory=dict[UUID, Account])
    entries: list[Entry] = field(default_factory=list[Entry])
    causes: Causes = field(default_factory=Causes)
    openings: list[Opening] = field(default_factory=list[Opening])
    namings: list[Naming] = field(default_factory=list[Naming])
    erased: set[UUID] = field(default_factory=set[UUID])

    @property
    def book(self) -> str:
        """The book that is being written."""
        return self.head.book

    def account_id_of(self, customer: str) -> UUID | None:
        """The account that a customer's name resolves to, if one is open."""
        return self.account_ids.get(self.alias_hash(customer))

    def alias_hash(self, customer: str) -> bytes:
        """How the database knows a customer's name."""
        known = self.alias_hashes.get(customer)
        if known is None:
            known = self.alias_hashes[customer] = self.book_key.digest(customer.encode())
        return known

    def content(self, entry: Entry) -> dict[str, Any]:
        """The content of an entry, as it was sent."""
        opened_content: dict[str, Any] = json.loads(
            self.keys[entry.account_id].open(entry.sealed, entry_place(self.book, entry.entry_id))
        )
        return opened_content

    def account_id_of_all(self, names: Sequence[str]) -> UUID | None:
        """The account that all of these names lead to of which any is known; CustomersDiffer if there are two."""
        if len(names) == 1:
            return self.account_id_of(names[0])
        known = {name: account_id for name in names if (account_id := self.account_id_of(name)) is not None}
        if len(set(known.values())) > 1:
            raise CustomersDiffer
        return next(iter(known.values()), None)

    def open_account(self, customer: str, booked_at: Instant) -> Account:
        """The customer's account; opened, with a key of its own, if this is the first interaction."""
        known = self.account_id_of(customer)
        if known is not None:
            self.customers.setdefault(known, customer)
            return self.accounts[known]
        ledger = self.ledger
        account, key = replace(opened(ledger.new_id(), booked_at), heaviest=NOTHING_YET), new_key(ledger.entropy)
        account_id, alias_hash = account.account_id, self.alias_hash(customer)
        self.openings.append(
            Opening(
                account_id=account_id,
                alias_hash=alias_hash,
                sealed_name=key.seal(customer.encode(), name_place(self.book, account_id), entropy=ledger.entropy),
                wrapped_key=ledger.master_key.wrap(key, account_place(self.book, account_id), entropy=ledger.entropy),
            )
        )
        self.account_ids[alias_hash] = account_id
        self.accounts[account_id] = account
        self.keys[account_id] = key
        self.customers[account_id] = customer
        self.effective[account_id] = []
        return account

    def booked(self, value_at: Instant | None) -> Instant:
        """When an item is booked: the append's one instant; while history is replayed, each item's own."""
        if self.booked_at is not None:
            return self.booked_at
        if value_at is None:
            fault = Fault(pointer="/value_at", code="missing", detail="history needs to say when it mattered")
            raise InvalidInteraction(faults=(fault,))
        return max(min(value_at, self.now), self.head.booked_at)

    def post(self, account_id: UUID, posting: Posting, content: Mapping[str, Any], *, booked_at: Instant) -> Entry:
        """Post on an account, and seal the content for the entry."""
        entry_id = self.ledger.new_line_id()
        sealed, content_hash = self.sealed(account_id, entry_id, content)
        draft = Draft(
            entry_id=entry_id,
            kind=posting.kind,
            points=posting.points,
            value_at=posting.value_at,
            memory=posting.memory,
            source=posting.source,
            external_id=posting.external_id,
            tariff_version=posting.tariff_version,
            api_key_id=posting.api_key_id,
            reverses=posting.reverses,
            context=posting.context,
            sealed=sealed,
            content_hash=content_hash,
            carried=posting.carried,
        )
        return self.enter(self.accounts[account_id], draft, booked_at=booked_at)

    def reverse(
        self, target: Entry, content: Mapping[str, Any], *, source: str, external_id: str | None, booked_at: Instant
    ) -> Entry:
        """Take an entry out again: its mirror, of the same value_at, out of the very masses that it entered."""
        posting = Posting(
            kind=target.kind,
            points=-target.points,
            memory=target.memory,
            value_at=target.value_at,
            source=source,
            external_id=external_id,
            tariff_version=target.tariff_version,
            api_key_id=self.api_key_id,
            reverses=target.entry_id,
        )
        return self.post(self.home(target.account_id), posting, content, booked_at=booked_at)

    def home(self, account_id: UUID) -> UUID:
        """The account itself, or the one that it leads to if it was merged."""
        return self.merges.homes.get(account_id, account_id)

    def enter(self, account: Account, draft: Draft, *, booked_at: Instant) -> Entry:
        """Advance the account to `booked_at`, post the draft on it, and keep what follows from it."""
        advanced, time_crossings = advance(account, self.policy, booked_at)
        silent = self.silent or self.head.replaying
        entry = post(self.head, advanced, draft, booked_at=booked_at, silent=silent)
        heaviest, last = with_entry(account.heaviest, entry, self.policy.half_lives), self._predecessor(account, entry)
        after, crossing = apply(advanced, entry, self.policy, predecessor=last, heaviest=heaviest)

        self.head = moved_on(self.head, entry)
        self.accounts[account.account_id] = self.posted[account.account_id] = after
        self.entries.append(entry)
        self.causes.passed(account, time_crossings, self.head, booked_at)
        self.causes.posted(advanced, entry, after, crossing)
        self._remember(entry, after)
        self.promises.apply(entry)
        return entry

    def sealed(self, account_id: UUID, entry_id: UUID, content: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """The content, sealed for its entry, and its HMAC."""
        key, plain = self.keys[account_id], canonical(content)
        return key.seal(plain, entry_place(self.book, entry_id), entropy=self.ledger.entropy), key.digest(plain)

    def _predecessor(self, account: Account, entry: Entry) -> LastEffective | None:
        """Which entry is the last effective one once `entry` has reversed another."""
        if entry.reverses is None:
            return None
        remaining = [last for entry_id, last in self.effective[account.account_id] if entry_id != entry.reverses]
        return max(remaining, key=lambda last: (last.value_at, last.sequence), default=None)

    def _remember(self, entry: Entry, account: Account) -> None:
        self.targets[entry.entry_id] = entry
        if entry.external_id is not None:
            self.known[entry.source, entry.external_id] = entry
        if entry.reverses is not None:
            self.reversals[entry.reverses] = entry.entry_id
            lasts = self.effective[account.account_id]
            self.effective[account.account_id] = [pair for pair in lasts if pair[0] != entry.reverses]
        elif entry.is_effective and account.account_id in self.effective:
            mine = LastEffective(value_at=entry.value_at, sequence=entry.sequence, direction=direction_of(entry.points))
            self.effective[account.account_id].append((entry.entry_id, mine))
