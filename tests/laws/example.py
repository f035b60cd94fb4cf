"""One example of the state machine: how its books begin, what may be said again, and all laws at its end."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from app.domain.api_key import Scope
from app.operations.manage_keys import create_key
from tests.laws.drawn import CUSTOMERS, KINDS
from tests.laws.model import Book
from tests.laws.model_account import Line
from tests.laws.model_promise import Promise
from tests.laws.model_rules import Json, tariff
from tests.laws.service import Service
from tests.laws.teller import Teller
from tests.laws.whole import all_laws_hold, batches_do_not_matter, nothing_seen_by_others

_T = TypeVar("_T")

STEPS = 30


def has_lines(machine: "Example") -> bool:
    """Whether anything was posted."""
    return bool(machine.book.lines)


def has_posted(machine: "Example") -> bool:
    """Whether there is an interaction to send again."""
    return bool(machine.posted())


def has_news(name: str, lines: int = 1) -> Callable[["Example"], bool]:
    """Whether so many lines were posted since the rule of that name was tried, which posts none itself.

    Or such rules would be half of all steps.
    """
    return lambda machine: len(machine.book.lines) >= machine.tried.get(name, 0) + lines


def when(is_apt: Callable[["Example"], bool]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Where a rule is not apt something is posted instead: a precondition that nothing meets would end the example."""

    def deciding(rule_of: Callable[..., None]) -> Callable[..., None]:
        @wraps(rule_of)
        def run(machine: "Example", **drawn: Any) -> None:
            if is_apt(machine):
                rule_of(machine, **drawn)
            else:
                machine.post_anything()

        return run

    return deciding


class Example(RuleBasedStateMachine):
    """One example: one fresh book, and another one for a stranger.

    `runner` and `service` are those of the whole test, `tally` counts what ran, of the examples those that
    were not cut short as `whole`; `every_step` tries all laws after each.
    """

    runner: asyncio.Runner
    service: Service
    tally: Counter[str]
    every_step: bool = False
    book_numbers = iter(range(1, 10**9))

    def __init__(self) -> None:
        super().__init__()
        self.numbers = iter(range(1, 10**6))
        self.webhooks: list[str] = []
        self.tried: dict[str, int] = {}
        self.is_sound = True
        self.steps = -1  # to open the books is none
        self.teller: Teller
        self.other: Teller

    def run_now(self, work: Coroutine[Any, Any, _T], name: str) -> _T:
        """Do it in the test's event loop, and count it."""
        self.tally[name] += 1
        self.tried[name] = len(self.book.lines)
        self.is_sound = False
        answer = self.runner.run(work)
        self.is_sound = True
        return answer

    @initialize(is_sandbox=st.booleans(), rules=st.integers(0, 1))
    def open(self, is_sandbox: bool, rules: int) -> None:
        """A fresh book with rules of its own, and another one for a stranger."""
        self.runner.run(self._opened(is_sandbox=is_sandbox, rules=rules))
        self.tally["examples"] += 1

    async def _opened(self, *, is_sandbox: bool, rules: int) -> None:
        number, bench = next(self.book_numbers), self.service.bench
        name = f"test_laws-{number}" if is_sandbox else f"laws-{number}"
        self.begun_at = bench.clock.now
        self.teller = await self._begun(name, is_sandbox=is_sandbox)
        self.other = await self._begun(f"others-{number}", is_sandbox=False)
        await self.teller.adopt_tariff(tariff(rules))

    async def _begun(self, name: str, *, is_sandbox: bool) -> Teller:
        _, token = await create_key(self.service.bench.ledger, name, name="tests", scopes=[Scope.ADMIN], source="crm")
        book = Book(now=self.service.bench.clock.now, is_sandbox=is_sandbox)
        return Teller(self.service, name, token.text, self.service.client(token.text), book)

    @property
    def book(self) -> Book:
        """The model."""
        return self.teller.book

    def content(self, drawn: Json) -> Json:
        """An interaction of a new id."""
        content = {
            "id": f"i{next(self.numbers)}",
            "customer": drawn["customer"],
            "kind": drawn["kind"],
            **drawn["facts"],
        }
        if content["kind"] == "delivery.late":
            content.setdefault("attributes", {"days": 5})
        if content["kind"] != "priced.by_source" and content.get("points") != 99:
            content.pop("points", None)
        return content if drawn["lag"] is None else {**content, "value_at": self.book.now - drawn["lag"]}

    def some_line(self, number: int) -> Line:
        """One of the lines."""
        return self.book.lines[-1 - number % len(self.book.lines)]

    def some_promise(self, number: int) -> Promise:
        """One of the promises, mostly one that is not settled."""
        made = list(self.book.promises.values())
        made = [each for each in made if number % 4 and not each.is_settled] or made
        return made[number % len(made)]

    def posted(self) -> list[Line]:
        """The lines of interactions that can be sent again, the latest first."""
        return [
            line for line in reversed(self.book.lines) if line.source == "crm" and (line.own_id or "").startswith("i")
        ]

    def said(self, line: Line) -> Json:
        """What was sent of a line, as one says it again."""
        return {"id": line.own_id, "source": line.source, "customer": line.customer, **line.content}

    def post_anything(self) -> None:
        """Post one thing after another."""
        number = next(self.numbers)
        drawn: Json = {"customer": CUSTOMERS[number % 3], "kind": KINDS[number % len(KINDS)], "lag": None, "facts": {}}
        self.run_now(self.teller.post(self.content(drawn)), "post")

    @invariant()
    def all_hold(self) -> None:
        """Count the step; in the long form all ten laws are tried after each."""
        self.steps += 1
        if self.every_step:
            self.run_now(self._ended(), "looks")

    def teardown(self) -> None:
        """All ten laws over the whole book."""
        if not hasattr(self, "other"):
            return
        try:
            if self.is_sound:
                self.run_now(self._ended(), "looks")
            self.tally["posted"] += self.teller.done["posted"]
            self.tally["steps"] += self.steps
            self.tally["whole"] += self.steps == STEPS
        finally:
            self.runner.run(self.teller.api.aclose())
            self.runner.run(self.other.api.aclose())

    async def _ended(self) -> None:
        await all_laws_hold(self.teller)
        self.other.book.now = self.service.bench.clock.now
        await nothing_seen_by_others(self.teller, self.other)
        await batches_do_not_matter(self.teller, self.begun_at)
