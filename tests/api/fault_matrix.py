"""Debits posted over HTTP while receivers fail in every way: what became of each message, and what arrived of it."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
from sqlalchemy import select
from standardwebhooks import Webhook

from app.domain.delivery import DeliveryState, shown_state
from app.domain.subscription import SubscriptionState
from app.tables import deliveries, messages, subscriptions
from tests.api.subscribing import done, made
from tests.conftest import Bench
from tests.servers import ServerProcess
from tests.webhooks.faults import faults
from tests.webhooks.receivers import Receiver, answering, receiving

KIND = "agent.insult_or_threat"
STATES = tuple(DeliveryState)
HEAD = ("receiver", "owed", "requests", "ids", *STATES, "twice")
REFUSES, FOR_EVER, DELETED = "refuses, then moves", "500 for ever", "500, then deleted"


@dataclass
class Watched:
    """A receiver, and its subscription."""

    name: str
    receiver: Receiver
    subscription: str = ""
    secret: str = ""

    def ids(self) -> Counter[str]:
        """How often each message came."""
        return Counter(each.headers["webhook-id"] for each in self.receiver.requests)


@dataclass
class Matrix:
    """Servers, a receiver of each kind, and one that nobody may ever be sent on to."""

    bench: Bench
    servers: Sequence[ServerProcess]
    turned: asyncio.Event
    elsewhere: Receiver
    watched: list[Watched] = field(default_factory=list)

    def client(self, number: int = 0) -> httpx.AsyncClient:
        """Of one of the servers."""
        return self.servers[number % len(self.servers)].client(self.bench.token)

    def of(self, name: str) -> Watched:
        """The receiver of that kind."""
        return next(each for each in self.watched if each.name == name)

    async def subscribe(self, refusing: str) -> None:
        """One subscription for each; `refusing` is where nobody listens."""
        async with self.client() as api:
            for each in self.watched:
                url = refusing if each.name == REFUSES else each.receiver.url
                answer = await made(api, url, "debit.deep", description=each.name)
                each.subscription, each.secret = answer["id"], answer["secret"]

    async def post(self, count: int, *, clients: int) -> float:
        """So many deep debits of as many customers, by clients at once; how many a second."""
        numbers = iter(range(count))

        async def work(number: int) -> None:
            async with self.client(number) as api:
                for each in numbers:
                    body = {"id": f"i-{each}", "customer": f"customer-{each}", "kind": KIND}
                    answer = await api.post("/v1/interactions", json=body)
                    assert answer.status_code == httpx.codes.CREATED, answer.text

        begun = time.perf_counter()
        await asyncio.gather(*[work(number) for number in range(clients)])
        return count / (time.perf_counter() - begun)

    async def mend(self) -> None:
        """All are fine from now on, but for one that is deleted and one that never will be; what is held is offered."""
        self.turned.set()
        async with self.client() as api:
            await api.delete(f"/v1/webhooks/{self.of(DELETED).subscription}")
            moved = self.of(REFUSES)
            await api.patch(f"/v1/webhooks/{moved.subscription}", json={"url": moved.receiver.url})
            for each in self.watched:
                if each.name not in (DELETED, FOR_EVER):
                    await done(api, f"/v1/webhooks/{each.subscription}/pause")
                    await done(api, f"/v1/webhooks/{each.subscription}/resume")

    async def states(self) -> dict[str, dict[str, str]]:
        """Of each subscription, the state of each message's delivery, by the message's id."""
        query = (
            select(deliveries.c.subscription_id, deliveries.c.state, messages.c.message_id, subscriptions.c.state)
            .join(messages, (messages.c.book == deliveries.c.book) & (messages.c.number == deliveries.c.number))
            .join(subscriptions, subscriptions.c.subscription_id == deliveries.c.subscription_id)
        )
        found: dict[str, dict[str, str]] = {each.subscription: {} for each in self.watched}
        async with self.bench.ledger.database.read(self.bench.book) as tx:
            for subscription_id, state, message_id, of_subscription in await tx.execute(query):
                shown = shown_state(DeliveryState(state), SubscriptionState(of_subscription))
                found[str(subscription_id)][f"msg_{message_id.hex}"] = shown
        return found

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until it holds, and show what is if it does not."""
        give_up_at = time.monotonic() + seconds
        while not await holds():
            assert time.monotonic() < give_up_at, "\n".join(await self.table())
            await asyncio.sleep(0.1)

    async def all_are(self, state: DeliveryState, *names: str) -> bool:
        """Whether every delivery of these receivers, of all without a name, is so."""
        found = await self.states()
        those = [each for each in self.watched if not names or each.name in names]
        return {each for one in those for each in found[one.subscription].values()} == {state}

    async def table(self) -> list[str]:
        """A line for each receiver."""
        found = await self.states()
        lines = [_line(HEAD)]
        for each in self.watched:
            ids, states = each.ids(), Counter(found[each.subscription].values())
            counts = (sum(states.values()), ids.total(), len(ids), *[states[state] for state in STATES])
            lines.append(_line((each.name, *counts, sum(count > 1 for count in ids.values()))))
        return lines

    async def check(self, count: int) -> None:
        """Every message is owed once to everybody, and nothing else ever came; what came is signed and the same."""
        async with self.bench.ledger.database.read(self.bench.book) as tx:
            rows = (await tx.execute(select(messages.c.message_id, messages.c.account_id, messages.c.type))).all()
        ids = {f"msg_{row.message_id.hex}" for row in rows if row.type == "debit.deep"}
        assert len(ids) == len({row.account_id for row in rows if row.account_id}) == count
        bodies: dict[str, bytes] = {}
        for subscription, states in (await self.states()).items():
            assert set(states) == ids, subscription
        for each in self.watched:
            assert set(each.ids()) <= ids, each.name
            for request in each.receiver.requests:
                assert bodies.setdefault(request.headers["webhook-id"], request.body) == request.body
                Webhook(each.secret).verify(request.body, request.headers)
        assert self.of("fine").ids() == Counter(ids)
        assert (self.elsewhere.connections, self.elsewhere.requests) == (0, [])


@asynccontextmanager
async def matrix(bench: Bench, servers: Sequence[ServerProcess]) -> AsyncGenerator[Matrix]:
    """A receiver of each kind, subscribed."""
    turned = asyncio.Event()
    down, fine = answering("500 Oops"), answering("204 No Content")
    async with AsyncExitStack() as running:
        elsewhere = await running.enter_async_context(receiving(fine))
        made_of = Matrix(bench, servers, turned, elsewhere)
        kinds = {**faults(turned, elsewhere.url), REFUSES: fine, FOR_EVER: down, DELETED: down}
        for name, behave in kinds.items():
            made_of.watched.append(Watched(name, await running.enter_async_context(receiving(behave))))
        nobody = running.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))  # and never listens
        await made_of.subscribe(f"http://127.0.0.1:{nobody.getsockname()[1]}/hook")
        yield made_of


def _line(cells: Sequence[object]) -> str:
    first, *others = cells
    return f"{first!s:<20}" + "".join(f"{each!s:>10}" for each in others)
