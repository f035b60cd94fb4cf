"""Tells a book and its model the same things over HTTP, and compares what is answered."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.operations.carry_adoption import carry_adoption
from app.operations.post_due_steps import post_due_steps
from app.operations.tick import advance_due
from tests.api.sentences import body_of, got, problem_of
from tests.laws.comparing import held, same_account, same_crossings, same_future, same_line, same_lines, same_messages
from tests.laws.model import Append, Book, interact
from tests.laws.model_account import Account, visible
from tests.laws.model_promise import Answer
from tests.laws.model_rules import (
    Json,
    Policy,
    Price,
    Refused,
    policy_document,
    tariff_document,
)
from tests.laws.model_verbs import forget, move_clock, post_due
from tests.laws.service import Service
from tests.laws.wire import duration_of, instant_in, sent

Since = tuple[int, dict[int, int]]
"""How many messages there were: of the book, and of each account, by its identity."""
Verb = Callable[[Append], Answer]


@dataclass(slots=True)
class Teller:
    """A fresh book, the caller with its key, and its model. `log` is what was asked of it, to be asked of another."""

    service: Service
    name: str
    token: str
    api: httpx.AsyncClient
    book: Book
    log: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    refused: list[Json] = field(default_factory=list[Json])
    crossings_seen: dict[str, int] = field(default_factory=dict[str, int])
    done: Counter[str] = field(default_factory=Counter[str])

    async def adopt_tariff(self, prices: dict[str, Price]) -> None:
        """Put a price list in force."""
        self.log.append(("PUT", "/v1/tariff", tariff_document(prices)))
        response = await self.api.put("/v1/tariff", json=tariff_document(prices), headers={"If-Match": "*"})
        assert response.status_code == 200, response.text
        self.book.prices, self.book.tariff_version = prices, response.json()["version"]

    async def adopt_policy(self, policy: Policy) -> None:
        """Put a policy in force; it says itself since when."""
        self.log.append(("PUT", "/v1/policy", policy_document(policy)))
        before = self._told()
        response = await self.api.put("/v1/policy", json=policy_document(policy), headers={"If-Match": "*"})
        if response.status_code == 202:
            await carry_adoption(self.service.bench.ledger, self.name)
        assert response.status_code in (200, 202), response.text
        newest = (await got(self.api, "/v1/messages", limit=1))["messages"][0]
        self.book.tick()
        adopted_at, least = instant_in(newest["at"]), self.book.instant()
        held(1, "when a policy is adopted", True, least <= adopted_at <= least + 2)
        self.book.adopt_policy(policy, adopted_at)
        await self.look(*self.book.accounts, since=before)

    async def post(self, content: Json, *, again: bool = False) -> None:
        """Post one interaction."""
        self.log.append(("items", [content]))
        await self.ask(
            "/v1/interactions", sent(content, again=again), lambda append: interact(append, content), content
        )

    async def batch(self, contents: Sequence[Json], *, as_lines: bool) -> None:
        """Post several at once; each is answered by itself."""
        self.log.append(("items", list(contents)))
        before = self._told()
        expected = self.book.batch(contents)
        response = await send_batch(self.api, [sent(each) for each in contents], as_lines=as_lines)
        results = body_of(response)["results"]
        held(7, "the results of a batch", [_word(each) for each in expected], [each["outcome"] for each in results])
        touched: set[str] = set()
        for content, answer, result in zip(contents, expected, results, strict=True):
            if isinstance(answer, Refused):
                self._refused(answer, result["problem"], content, in_batch=True)
            else:
                same_line(answer.line, result["entry"])
                touched.add(answer.line.customer)
                self.done["posted"] += not answer.replayed
        await self.look(*touched, since=before)

    async def ask(self, path: str, body: Json, verb: Verb, content: Json | None = None) -> None:
        """One thing over HTTP that is answered with an entry and the account just after it, or refused."""
        before = self._told()
        try:
            answer = self.book.append(verb)
        except Refused as refused:
            response = await self.api.post(path, json=body)
            law = 7 if refused.code == "interaction_conflict" else 9
            held(law, f"the status of {path} {body}", refused.status, response.status_code)
            problem = problem_of(response, refused.status, refused.code)
            self._refused(refused, problem, content)
            return
        response = await self.api.post(path, json=body)
        held(7, f"the status of {path} {body}", 200 if answer.replayed else 201, response.status_code)
        shown = body_of(response)
        for line, entry in ((answer.line, shown["entry"]), (answer.replacement, shown.get("replacement"))):
            held(7, "what is answered", line is None, entry is None)
            if line is not None:
                same_line(line, entry or {})
        account = self.book.accounts[answer.line.customer]
        same_account(self.book, account, shown["account"], at=self.book.read_at)
        same_future(self.book, account, shown["account"], at=self.book.read_at)
        self.done["posted"] += not answer.replayed
        others = {answer.replacement.customer} if answer.replacement else set()
        await self.look(account.customer, *others, since=before, is_shown=not others)

    async def describe(self, customer: str, known: Json) -> None:
        """Set the segment or the value."""
        self.log.append(("PATCH", f"/v1/customers/{customer}", known))
        before = self._told()
        response = await self.api.patch(f"/v1/customers/{customer}", json=known)
        try:
            self.book.describe(customer, known)
        except Refused as refused:
            problem_of(response, refused.status, refused.code)
            return
        assert response.status_code == 200, response.text
        same_account(self.book, self.book.accounts[customer], body_of(response), at=self.book.read_at)
        await self.look(customer, since=before, is_shown=True)

    async def forget(self, customer: str) -> None:
        """Forget a customer."""
        path = f"/v1/customers/{customer}"
        self.log.append(("DELETE", path, None))
        before = self._told()
        try:
            line = forget(self.book, customer)
        except Refused as refused:
            problem_of(await self.api.delete(path), refused.status, refused.code)
            return
        response = await self.api.delete(path)
        assert response.status_code == 200, response.text
        held(1, "the entry that forgets", line.position, response.json()["position"])
        self.crossings_seen.pop(customer, None)
        self.done["forgotten"] += 1
        await self.look(since=before)
        problem_of(await self.api.get(path), 404, "unknown_customer")

    async def move_clock(self, by: int) -> None:
        """Let time pass: in a sandbox by its own clock; elsewhere by everybody's, and the book's clock ticks."""
        self.log.append(("clock", by))
        before, lines = self._told(), len(self.book.lines)
        known = {account.customer: len(account.crossings) for account in self.book.accounts.values()}
        passed = await self.let_clock_run(self.api, self.name, by)
        if passed is None:
            self.book.now += by
            post_due(self.book, by=self.book.instant(), at=self.book.instant())
            self.book.tick()
            await self.look(*self.book.accounts, since=before)
            return
        begun, ended = move_clock(self.book, by)
        held(1, "what passed", (begun, ended), (instant_in(passed["from"]), instant_in(passed["to"])))
        same_lines(self.book.lines[lines:], passed["entries"])
        for account in self.book.accounts.values():
            own = [each for each in passed["crossings"] if each["customer"] == account.customer]
            news = [each for each in account.crossings[known[account.customer] :] if each.at > begun]
            same_crossings(account.customer, news, own)
        newest_first = sorted(passed["messages"], key=lambda message: -message["number"])
        same_messages(self.book, before[1], before[0], newest_first)
        await self.look(*self.book.accounts, since=self._told())

    async def pass_time(self, by: int) -> None:
        """Let time pass, and nobody looks but readers."""
        self.log.append(("time", by))
        self.service.bench.clock.now += by
        self.book.now += by
        await self.look(*self.book.accounts, since=self._told())

    async def look(self, *customers: str, since: Since, is_shown: bool = False) -> None:
        """What was told `since`, and how these customers' accounts read now, unless that `is_shown` already."""
        had = since[0] + sum(since[1].values())
        page = await got(self.api, "/v1/messages", limit=self.book.messages - had + 1)
        same_messages(self.book, since[1], since[0], [each for each in page["messages"] if each["number"] > had])
        await self._look_at_lines()
        names, at = sorted(customers), self.book.read_at
        if names and not is_shown:
            found = await self.api.post("/v1/customers/lookup", json={"customers": names})
            for name, shown in zip(names, body_of(found)["customers"], strict=True):
                same_account(self.book, self.book.accounts[name], shown, at=at)
        for name in names:
            crossings = len(self.book.accounts[name].crossings)
            if crossings != self.crossings_seen.get(name, 0):
                self.crossings_seen[name] = crossings
                await self.look_at_crossings(self.book.accounts[name])

    async def _look_at_lines(self) -> None:
        """What was posted besides what was asked for: steps of promises, and their reversals."""
        unseen = next((line.position for line in self.book.lines if not line.entry_id), None)
        if unseen is not None:
            page = await got(self.api, "/v1/entries", after=unseen - 1, limit=1000)
            same_lines(self.book.lines[unseen - 1 :], page["entries"])

    async def look_at_crossings(self, account: Account) -> None:
        """All changes of place up to now."""
        shown = await got(self.api, f"/v1/customers/{account.customer}/crossings", limit=1000)
        crossings, _ = visible(account, self.book.policy, self.book.read_at)
        same_crossings(account.customer, crossings, shown["crossings"])

    def _told(self) -> Since:
        return len(self.book.told), {id(each): len(each.messages) for each in self.book.all_accounts}

    async def let_clock_run(self, api: httpx.AsyncClient, name: str, by: int) -> Json | None:
        """Move a book's clock, and what it then does; what a sandbox answers."""
        if self.book.is_sandbox:
            response = await api.post("/v1/sandbox/clock", json={"advance": duration_of(by)})
            assert response.status_code == 200, response.text
            return body_of(response)
        self.service.bench.clock.now += by
        await post_due_steps(self.service.bench.ledger, name)
        await advance_due(self.service.bench.ledger, name)
        return None

    def _refused(self, refused: Refused, problem: Json, content: Json | None, *, in_batch: bool = False) -> None:
        code = "invalid_interaction" if in_batch and refused.code == "invalid_request" else refused.code
        held(9, "why it is refused", (refused.status, code), (problem["status"], problem["code"]))
        if refused.code == "interaction_conflict":
            held(7, "the fields that differ", refused.fields, frozenset(problem["fields"]))
        elif content is not None and refused.code != "interaction_erased":
            self.refused.append(content)


async def send_batch(api: httpx.AsyncClient, bodies: Sequence[Json], *, as_lines: bool) -> httpx.Response:
    """Post a batch as JSON, or as NDJSON."""
    if not as_lines:
        return await api.post("/v1/interactions/batch", json={"interactions": list(bodies)})
    lines = "\n".join(json.dumps(body) for body in bodies)
    kind = {"Content-Type": "application/x-ndjson"}
    return await api.post("/v1/interactions/batch", content=lines.encode(), headers=kind)


def _word(answer: Answer | Refused) -> str:
    if isinstance(answer, Refused):
        return "conflict" if answer.code == "interaction_conflict" else "refused"
    return "replayed" if answer.replayed else "created"
