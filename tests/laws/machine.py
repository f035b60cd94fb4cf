"""The state machine: random histories told to a book and to its model, over the public API."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.laws.drawn import PUBLIC, customers, interactions, lags, makings, spans, which
from tests.laws.example import Example, has_lines, has_news, has_posted, when
from tests.laws.model_account import Line
from tests.laws.model_promise import Promise
from tests.laws.model_rules import DAY, HOUR, POLICIES, SECOND, Json, tariff
from tests.laws.model_verbs import make, move, reverse, settle
from tests.laws.wire import sent


class Laws(Example):
    """The rules."""

    @rule(drawn=interactions)
    def post(self, drawn: Json) -> None:
        self.run_now(self.teller.post(self.content(drawn)), "post")

    @rule(drawn=interactions, days=st.integers(2, 700))
    def back_date(self, drawn: Json, days: int) -> None:
        self.run_now(self.teller.post(self.content({**drawn, "lag": days * DAY})), "back_date")

    @rule(
        drawn=st.lists(interactions, min_size=1, max_size=5),
        again=st.lists(which, max_size=2),
        twice=st.booleans(),
        as_lines=st.booleans(),
    )
    def batch(self, drawn: list[Json], again: list[int], twice: bool, as_lines: bool) -> None:
        contents = [self.content(each) for each in drawn]
        posted = self.posted()
        said = [self.said(posted[number % len(posted)]) for number in again if posted]
        changed = [{**each, "note": "otherwise"} for each in said[1:]]
        odd = {"id": f"i{next(self.numbers)}", "customer": "zoe", "kind": "unheard.of"}
        malformed = [odd, {**odd, "kind": "wait.long", "colour": "red"}] if twice else []
        contents = [*contents, *said[:1], *changed, *malformed, *(contents[:1] if twice else [])]
        self.run_now(self.teller.batch(contents, as_lines=as_lines), "batch")

    @rule(number=which)
    @when(has_posted)
    def resend(self, number: int) -> None:
        posted = self.posted()
        self.run_now(self.teller.post(self.said(posted[number % len(posted)]), again=True), "resend")

    @rule(
        number=which, change=st.sampled_from(["customer", "kind", "note", "attributes", "channel", "value_at", "cost"])
    )
    @when(has_posted)
    def contradict(self, number: int, change: str) -> None:
        line = self.posted()[number % len(self.posted())]
        others: Json = {"kind": "gift.big", "note": "no", "attributes": {"days": 9}, "channel": "mail", "cost": 77}
        others |= {"customer": "bob" if line.customer == "ada" else "ada", "value_at": line.value_at - 1}
        self.run_now(self.teller.post({**self.said(line), change: others[change]}), "contradict")

    @rule(number=which, own_id=st.booleans(), by_name=st.booleans(), instead=st.none() | interactions)
    @when(has_lines)
    def reverse(self, number: int, own_id: bool, by_name: bool, instead: Json | None) -> None:
        line = self.some_line(number)
        body: Json = {"reason": "mistaken"}
        body |= {"id": f"r{next(self.numbers)}"} if own_id else {}
        body |= {"replacement": self.content(instead)} if instead else {}
        self.run_now(self._reversed(line, body, by_name=by_name), "reverse")

    async def _reversed(self, line: Line, body: Json, *, by_name: bool) -> None:
        wire = sent(body)
        if not line.is_erased:
            self.teller.log.append(("reverse", line.customer, line.sequence, wire))
        verb = partial(reverse, target=line, sent=body)
        replacement = body.get("replacement")
        if by_name and line.own_id is not None:
            name = {"interaction": {"source": line.source, "id": line.own_id}}
            await self.teller.ask("/v1/interactions/reversal", wire | name, verb, replacement)
        else:
            await self.teller.ask(f"/v1/entries/{line.entry_id}/reversal", wire, verb, replacement)
        if "id" in body and replacement is None:
            await self.teller.ask(f"/v1/entries/{line.entry_id}/reversal", wire, verb)

    @rule(customer=customers, segment=st.sampled_from([None, "vip", "new"]), value=st.none() | st.integers(0, 9))
    @when(has_lines)
    def describe(self, customer: str, segment: str | None, value: int | None) -> None:
        known = {"segment": segment} if value is None else {"segment": segment, "value": float(value)}
        self.run_now(self.teller.describe(customer, known), "describe")

    @rule(customer=customers)
    @when(has_news("forget", 6))
    def forget(self, customer: str) -> None:
        self.run_now(self.teller.forget(customer), "forget")

    @rule(lenient=st.integers(0, 2))
    @when(has_news("change_tariff"))
    def change_tariff(self, lenient: int) -> None:
        self.run_now(self.teller.adopt_tariff(tariff(lenient)), "change_tariff")

    @rule(number=st.integers(0, len(POLICIES) - 1))
    @when(has_news("change_policy", 2))
    def change_policy(self, number: int) -> None:
        self.run_now(self.teller.adopt_policy(POLICIES[number]), "change_policy")

    @rule(by=spans)
    @when(has_news("clock"))
    def clock(self, by: int) -> None:
        self.run_now(self.teller.move_clock(by), "clock")

    @rule(by=spans, odd=st.integers(0, 10**6))
    @when(has_news("time"))
    def time(self, by: int, odd: int) -> None:
        self.run_now(self.teller.pass_time(by + odd), "time")

    @rule(
        what=st.sampled_from(["made", "made", "kept", "kept", "withdrawn", "moved"]),
        making=makings,
        number=which,
        lag=lags,
        by=spans,
        flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    )
    def promise(
        self, what: str, making: Json, number: int, lag: int | None, by: int, flags: tuple[bool, bool, bool]
    ) -> None:
        is_twice, is_told, has_id = flags
        if what == "made" or not self.book.promises:
            path, body, verb = self._made(making)
        elif what == "moved":
            path, body, verb = self._moved(self.some_promise(number), by, is_told=is_told, has_id=has_id)
        else:
            lateness = None if has_id else by if is_told else -HOUR
            path, body, verb = self._settled(self.some_promise(number), what, lag, lateness)
        for _ in range(1 + is_twice):
            self.run_now(self._asked(path, body, verb), f"promise {what}")

    def _made(self, making: Json) -> tuple[str, Json, Any]:
        body: Json = {"id": f"p{next(self.numbers)}", "attributes": {"days": 2}}
        body |= {name: making[name] for name in ("customer", "kind", "grace", "steps") if making[name]}
        body |= {"due_at": (self.book.now + making["due"]) // SECOND * SECOND}
        return "/v1/promises", body, partial(make, sent=body)

    def _moved(self, promise: Promise, by: int, *, is_told: bool, has_id: bool) -> tuple[str, Json, Any]:
        body: Json = {"due_at": promise.due_at + by, "told_customer": is_told}
        body |= {"id": f"m{next(self.numbers)}"} if has_id else {}
        return f"/v1/promises/{promise.name[1]}/moved", body, partial(move, name=promise.name, sent=body)

    def _settled(self, promise: Promise, state: str, lag: int | None, lateness: int | None) -> tuple[str, Json, Any]:
        """Settled `lag` ago, or so late as `lateness` says."""
        then = self.book.now - (lag or 0) if lateness is None else min(self.book.now, promise.due_at + lateness)
        body: Json = {} if lag is None else {"value_at": max(promise.made_at - HOUR, then)}
        verb = partial(settle, name=promise.name, state=state, sent=body)
        return f"/v1/promises/{promise.name[1]}/{state}", body, verb

    async def _asked(self, path: str, body: Json, verb: Any) -> None:
        wire = sent(body)
        self.teller.log.append(("POST", path, wire))
        await self.teller.ask(path, wire, verb)

    @rule(types=st.sampled_from([["*"], ["account.*"], ["debit.deep"]]))
    @when(has_news("subscribe", 4))
    def subscribe(self, types: list[str]) -> None:
        self.run_now(self._subscribed(types), "subscribe")

    async def _subscribed(self, types: list[str]) -> None:
        response = await self.teller.api.post("/v1/webhooks", json={"url": PUBLIC, "message_types": types})
        assert response.status_code == 201, response.text
        self.webhooks.append(response.json()["id"])

    @rule(is_end=st.booleans())
    @when(has_news("unsubscribe", 4))
    def unsubscribe(self, is_end: bool) -> None:
        self.run_now(self._unsubscribed(is_end=is_end), "unsubscribe")

    async def _unsubscribed(self, *, is_end: bool) -> None:
        if not self.webhooks:
            return
        path = f"/v1/webhooks/{self.webhooks[-1]}"
        if is_end:
            self.webhooks.pop()
            assert (await self.teller.api.delete(path)).status_code == 204
        else:
            assert (await self.teller.api.patch(path, json={"message_types": ["promise.*"]})).status_code == 200

    @rule(number=which)
    @when(has_news("stranger", 5))
    def stranger(self, number: int) -> None:
        self.run_now(self._strange(number), "stranger")

    async def _strange(self, number: int) -> None:
        """The other book is told what this one knows, under the same names."""
        posted = self.posted()
        self.other.book.now = self.service.bench.clock.now
        if not self.other.book.lines:
            await self.other.adopt_tariff(tariff(0))
        if posted:
            said = self.said(posted[number % len(posted)])
            await self.other.post({**said, "value_at": self.other.book.now})

    @rule()
    @when(has_news("restart", 12))
    def restart(self) -> None:
        self.run_now(self._restarted(), "restart")

    async def _restarted(self) -> None:
        await self.service.restart()
        for each in (self.teller, self.other):
            await each.api.aclose()
            each.api = self.service.client(each.token)
