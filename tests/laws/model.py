"""A book of the model: what is appended to it and what becomes of it (DESIGN 2 and 3). It imports nothing of `app`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from tests.laws.model_account import Account, Line
from tests.laws.model_messages import tell_lines, tell_move
from tests.laws.model_promise import Answer, Promise
from tests.laws.model_rules import (
    CONTEXT,
    FIELDS,
    MINUTE,
    Json,
    Policy,
    Price,
    Refused,
    content_of,
    differing,
    refuse_system_kind,
    tariff,
    valued,
)

Name = tuple[str, str]
_P = ParamSpec("_P")
_T = TypeVar("_T")

EARLIEST = -2_208_988_800_000_000


@dataclass(slots=True, kw_only=True)
class Book:
    """One book. `now` is its clock's; `booked_at` the head's; `told` counts the messages about the book itself."""

    now: int
    is_sandbox: bool = True
    booked_at: int = EARLIEST
    lines: list[Line] = field(default_factory=list[Line])
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    forgotten: list[Account] = field(default_factory=list[Account])
    known: dict[Name, Line] = field(default_factory=dict[Name, Line])
    promises: dict[Name, Promise] = field(default_factory=dict[Name, Promise])
    prices: Mapping[str, Price] = field(default_factory=lambda: tariff(0))
    tariff_version: int = 2
    policy: Policy = field(default_factory=Policy)
    told: list[int] = field(default_factory=list[int])

    @property
    def read_at(self) -> int:
        """The instant of a read."""
        return max(self.now, self.booked_at)

    @property
    def messages(self) -> int:
        """How many there are in all."""
        return len(self.told) + sum(len(account.messages) for account in self.all_accounts)

    @property
    def all_accounts(self) -> list[Account]:
        """Those of the forgotten, too."""
        return [*self.accounts.values(), *self.forgotten]

    def instant(self) -> int:
        """That of the next write."""
        return max(self.now, self.booked_at + 1)

    def append(self, verb: Callable[Concatenate["Append", _P], _T], *given: _P.args, **named: _P.kwargs) -> _T:
        """One append. Raises Refused, and then nothing has changed."""
        append = Append(book=self, at=self.instant())
        answer = verb(append, *given, **named)
        append.finish()
        return answer

    def batch(self, items: Sequence[Json]) -> list[Answer | Refused]:
        """Several interactions in one append."""
        return self.append(lambda append: [_one(append, item) for item in items])

    def describe(self, customer: str, known: Json) -> None:
        """Set what is known beside the ledger. Raises Refused."""
        account = self.accounts.get(customer)
        if account is None:
            raise Refused(404, "unknown_customer")
        segment = known.get("segment", account.segment)
        value = known.get("value", account.value)
        if (segment, value) == (account.segment, account.value):
            return
        at = self.booked_at = self.instant()
        self.let_pass(account, at, recorded_at=at)
        is_other, account.segment, account.value = segment != account.segment, segment, value
        moved = account.move(self.policy, at, "segment") if is_other else None
        if moved is not None:
            tell_move(account, moved, self.policy, recorded_at=at)

    def tick(self) -> None:
        """The clock records what time brought up to now."""
        for account in self.accounts.values():
            passed = self.let_pass(account, self.now, recorded_at=self.now)
            self.booked_at = max([self.booked_at, *passed])

    def adopt_policy(self, policy: Policy, at: int) -> None:
        """Another policy from `at` on. Requires a tick just before."""
        for account in self.accounts.values():
            self.let_pass(account, at, recorded_at=at)
            account.move(policy, at, "policy")
        self.policy = policy
        self.booked_at = at if self.lines else self.booked_at
        self.told.append(at)

    def let_pass(self, account: Account, until: int, *, recorded_at: int) -> list[int]:
        """What time did to the account, told of; the instants. In a sandbox it counts as recorded at once."""
        passed = account.see(self.policy, until)
        for crossing in passed:
            tell_move(account, crossing, self.policy, recorded_at=crossing.at if self.is_sandbox else recorded_at)
        return [crossing.at for crossing in passed]


@dataclass(slots=True, kw_only=True)
class Append:
    """One append, at one instant unless a clock makes it."""

    book: Book
    at: int
    groups: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])

    def settled(self, value_at: int | None) -> int:
        """When it mattered. Raises Refused."""
        if value_at is None:
            return self.at
        if value_at > self.at + 5 * MINUTE or value_at < EARLIEST:
            raise Refused(422, "invalid_interaction")
        return min(value_at, self.at)

    def line(self, customer: str, *, reverses: Line | None = None, **facts: Any) -> Line:
        """Book one line, once time has passed up to now and what is due is on the ledger."""
        book, at = self.book, self.at
        account = book.accounts.setdefault(customer, Account(customer=customer, seen_at=at))
        if customer in self.groups and self.groups[customer][0].booked_at != at:
            self._tell(customer)
        book.let_pass(account, at, recorded_at=at)
        made = Line(
            customer=customer,
            position=len(book.lines) + 1,
            sequence=len(account.lines) + 1,
            balance_after=account.balance + facts["points"],
            booked_at=at,
            reverses=reverses,
            **facts,
        )
        book.lines.append(made)
        account.lines.append(made)
        self.groups.setdefault(customer, []).append(made)
        if made.own_id is not None:
            book.known[made.source, made.own_id] = made
        if reverses is not None:
            reverses.reversed_by = made
        account.move(book.policy, at, "entry" if reverses is None else "reversal", made.position)
        book.booked_at = at
        return made

    def break_due(self, customer: str, but: Promise | None = None) -> None:
        """Post what the customer's promises are due by now."""
        own = [each for each in self.book.promises.values() if each.customer == customer and each is not but]
        for _, promise, n in sorted(
            (due for each in own for due in each.due(self.at)), key=lambda due: (due[0], due[1].name, due[2])
        ):
            self.step(promise, n)

    def step(self, promise: Promise, n: int) -> None:
        """Post one step of a missed promise."""
        promise.posted.append(self.line(promise.customer, **promise.step_facts(n)))
        promise.state = "broken"

    def reverse(self, line: Line, *, source: str, own_id: str | None, content: Json) -> Line:
        """Take a line out again."""
        copied = {name: getattr(line, name) for name in ("kind", "memory", "value_at", "tariff_version")}
        return self.line(
            line.customer, reverses=line, source=source, own_id=own_id, content=content, points=-line.points, **copied
        )

    def finish(self) -> None:
        """Tell of what was booked."""
        for customer in list(self.groups):
            self._tell(customer)

    def _tell(self, customer: str) -> None:
        account = self.book.accounts[customer]
        tell_lines(account, self.groups.pop(customer), self.book.policy, account.place)


def interact(append: Append, sent: Json) -> Answer:
    """Post one interaction. Raises Refused."""
    return _known_interaction(append, sent) or Answer(line=prepared(append, sent)())


def prepared(append: Append, sent: Json) -> Callable[[], Line]:
    """All that may refuse an interaction; what is returned posts it."""
    book = append.book
    if not FIELDS.issuperset(sent):
        raise Refused(422, "invalid_request")
    refuse_system_kind(sent["kind"])
    value_at = append.settled(sent.get("value_at"))
    points, memory = valued(book.prices, sent)

    def post() -> Line:
        append.break_due(sent["customer"])
        return append.line(
            sent["customer"],
            source=sent.get("source", "crm"),
            own_id=sent["id"],
            kind=sent["kind"],
            points=points,
            value_at=value_at,
            memory=memory,
            tariff_version=book.tariff_version,
            content=content_of(sent),
            context={name: sent[name] for name in CONTEXT if name in sent},
        )

    return post


def replayed(line: Line, content: Json, *others: str) -> Answer:
    """The first answer again. Raises Refused naming the fields that differ; `others` do besides."""
    if line.is_erased:
        raise Refused(410, "interaction_erased")
    fields = {*others, *differing(line.content, content)}
    if fields:
        raise Refused(409, "interaction_conflict", frozenset(fields))
    return Answer(line=line, replayed=True)


def _known_interaction(append: Append, sent: Json) -> Answer | None:
    if not FIELDS.issuperset(sent):
        return None
    known = append.book.known.get((sent.get("source", "crm"), sent["id"]))
    if known is None:
        return None
    return replayed(known, content_of(sent), *([] if known.customer == sent["customer"] else ["customer"]))


def _one(append: Append, item: Json) -> Answer | Refused:
    try:
        return interact(append, item)
    except Refused as refused:
        return refused
