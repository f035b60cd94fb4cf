"""All ten laws of DESIGN 7 over a whole book, at the end of an example."""

import itertools
from typing import Any

from sqlalchemy import func, select

from app.domain.api_key import Scope
from app.operations.manage_keys import create_key
from app.operations.rebuild import rebuild
from app.operations.verify import verify
from app.tables import accounts, crossings, metadata, promises
from tests.api.sentences import got
from tests.laws.comparing import held, same_account, same_future, same_lines, same_messages, same_promises
from tests.laws.model_rules import Json
from tests.laws.teller import Teller, send_batch
from tests.laws.wire import sent
from tests.operations.stories import stored

_numbers = itertools.count(1)


async def all_laws_hold(teller: Teller) -> None:
    """Read the whole book through the API, compare it with the model, verify it, rebuild it."""
    api, book = teller.api, teller.book
    same_lines(book.lines, (await got(api, "/v1/entries", limit=1000))["entries"])
    for account in book.accounts.values():
        statement = await got(api, f"/v1/customers/{account.customer}/statement", limit=1000)
        same_lines(account.lines, statement["entries"])
        held(2, f"closing balance of {account.customer}", account.balance, statement["closing_balance"])
        await teller.look_at_crossings(account)
    worklist = (await got(api, "/v1/customers", limit=1000))["customers"]
    held(9, "who has an account", sorted(book.accounts), sorted(each["customer"] for each in worklist))
    for shown in worklist:
        same_account(book, book.accounts[shown["customer"]], shown, at=book.read_at)
        same_future(book, book.accounts[shown["customer"]], shown, at=book.read_at)
    same_promises(book.promises.values(), (await got(api, "/v1/promises", limit=1000))["promises"], book.read_at)
    same_messages(book, {}, 0, (await got(api, "/v1/messages", limit=1000))["messages"])
    await _is_verified(teller)
    await _left_no_trace(teller)


async def _is_verified(teller: Teller) -> None:
    """Laws 1 to 6 as the service itself checks them; and what is stored is what a rebuild makes."""
    ledger = teller.service.bench.ledger
    report = await verify(ledger, teller.name)
    for law, count in report.counts.items():
        held(law, f"verify says {report.findings}", 0, count)
    held(7, "how many lines are verified", len(teller.book.lines), report.entries)
    before = await stored(teller.service.bench, accounts, crossings, promises, book=teller.name)
    await rebuild(ledger, teller.name)
    after = await stored(teller.service.bench, accounts, crossings, promises, book=teller.name)
    for name, rows in before.items():
        for row, again in zip(rows, after[name], strict=True):
            held(5, f"a rebuilt row of {name}", row, again)


async def _left_no_trace(teller: Teller) -> None:
    """As many rows of each table as what was accepted makes."""
    book = teller.book
    expected = {
        "entries": len(book.lines),
        "messages": book.messages,
        "promises": len(book.promises),
        **dict.fromkeys(("aliases", "account_keys"), len(book.accounts)),
    }
    async with teller.service.bench.ledger.database.read(teller.name) as tx:
        for name, count in expected.items():
            table = metadata.tables[name]
            query = select(func.count()).select_from(table).where(table.c.book == teller.name)
            held(9, f"rows in {name}", count, (await tx.execute(query)).scalar_one())


async def nothing_seen_by_others(teller: Teller, other: Teller) -> None:
    """Another book's key meets nothing of this one, whatever names both have (law 10)."""
    api, own = other.api, other.book
    feed = (await got(api, "/v1/entries", limit=1000))["entries"]
    held(10, "another book's lines", len(own.lines), len(feed))
    same_lines(own.lines, feed)
    shown = (await got(api, "/v1/customers", limit=1000))["customers"]
    held(10, "another book's customers", sorted(own.accounts), sorted(each["customer"] for each in shown))
    held(10, "another book's promises", [], (await got(api, "/v1/promises"))["promises"])
    held(10, "another book's webhooks", [], (await got(api, "/v1/webhooks"))["webhooks"])
    told = (await got(api, "/v1/messages", limit=1000))["messages"]
    held(10, "another book's messages", own.messages, len(told))
    for line in teller.book.lines[-1:]:
        answer = await api.post(f"/v1/entries/{line.entry_id}/reversal", json={"reason": "not mine"})
        held(10, f"the entry {line.entry_id}", 404, answer.status_code)
        if line.customer not in own.accounts:
            answer = await api.get(f"/v1/customers/{line.customer}")
            held(10, f"the customer {line.customer}", 404, answer.status_code)


async def batches_do_not_matter(teller: Teller, begun_at: int) -> None:
    """The same things said to another book, batches taken apart and single ones put together (law 8)."""
    bench, now = teller.service.bench, teller.service.bench.clock.now
    name = f"{teller.name}-again-{next(_numbers)}"
    _, token = await create_key(bench.ledger, name, name="tests", scopes=[Scope.ADMIN], source="crm")
    bench.clock.now = begun_at
    async with teller.service.client(token.text) as api:
        other = _Other(teller, api, name)
        for step in teller.log:
            await other.tell(step)
        await other.post()
        names = sorted(teller.book.accounts)
        if names:
            found = (await api.post("/v1/customers/lookup", json={"customers": names})).json()["customers"]
            for customer, shown in zip(names, found, strict=True):
                same_result(teller, customer, shown)
        entries = (await got(api, "/v1/entries", limit=1000))["entries"]
    bench.clock.now = now
    for account in teller.book.accounts.values():
        own = [each for each in entries if each["customer"] == account.customer]
        expected = [
            (each.kind, each.points, each.balance_after, each.memory, each.tariff_version, each.own_id)
            for each in account.lines
        ]
        held(8, f"the lines of {account.customer}", expected, [_told(each) for each in own])


def same_result(teller: Teller, customer: str, shown: Json) -> None:
    """The account in the other book stands where it does in the first."""
    book, account = teller.book, teller.book.accounts[customer]
    place = account.place_by_rules(book.policy, book.read_at)
    held(8, f"the balance of {customer}", account.balance, shown["balance"])
    held(8, f"the place of {customer}", place, (shown["standing"], shown["depth"]))
    held(
        8,
        f"the felt balance of {customer}",
        True,
        abs(account.felt(book.policy, book.read_at).balance - shown["felt"]) < 0.006,
    )


def _told(each: Json) -> tuple[Any, ...]:
    return (
        each["kind"],
        each["points"],
        each["balance_after"],
        each["memory"],
        each["tariff_version"],
        each["interaction"]["id"],
    )


class _Other:
    """The other book; `waiting` are interactions that go in one batch before anything else happens."""

    def __init__(self, teller: Teller, api: Any, name: str) -> None:
        self.teller, self.api, self.name = teller, api, name
        self.waiting: list[Json] = []

    async def tell(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("items", [content]):
                self.waiting.append(content)
            case ("items", contents):
                await self.post()
                for content in contents:
                    self.waiting = [content]
                    await self.post()
            case _:
                await self.post()
                await self.do(step)

    async def post(self) -> None:
        contents, self.waiting = self.waiting, []
        if contents:
            await send_batch(self.api, [sent(each) for each in contents], as_lines=False)

    async def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("time", by):
                self.teller.service.bench.clock.now += by
            case ("clock", by):
                await self.teller.let_clock_run(self.api, self.name, by)
            case ("reverse", customer, sequence, body):
                statement = await got(self.api, f"/v1/customers/{customer}/statement", limit=1000)
                entry = statement["entries"][sequence - 1]
                await self.api.post(f"/v1/entries/{entry['id']}/reversal", json=body)
            case (method, path, body):
                await self.api.request(method, path, json=body, headers={"If-Match": "*"})
            case _:
                raise AssertionError(step)
