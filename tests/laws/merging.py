"""The state machine of merging: random merges, undoings and erasures among all else, the laws verified after each."""

import asyncio
from collections import Counter
from itertools import count, permutations, product
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain.api_key import Scope
from app.domain.instant import DAY
from app.operations.carry_adoption import carry_adoption
from app.operations.manage_keys import create_key
from app.operations.post_due_steps import post_due_steps
from app.operations.rebuild import rebuild
from app.operations.sign_checkpoint import sign_checkpoint
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.tables import accounts, crossings, merges, promises
from tests.api.sentences import address, got, wire_time
from tests.laws.model_merging import Holders, Json
from tests.laws.service import Service
from tests.laws.wire import instant_in
from tests.operations.stories import stored

NAMES = ("ada", "bob", "eve", "zoe")
KINDS = ("product.failed", "moment.unexpected_gift", "agent.insult_or_threat", "apology.first", "contact.neutral")
STEPS = [{"after": "P0D", "points": -8}, {"after": "P3D", "points": -45}]
LIVES = ({"passing": 60}, {"lasting": 100, "deep": 200})

names = st.sampled_from(NAMES)
which = st.integers(0, 1000)


class Merging(RuleBasedStateMachine):
    """One book. `runner` and `service` are those of the whole test, `tally` counts what was done."""

    runner: asyncio.Runner
    service: Service
    tally: Counter[str]
    books = count(1)

    @initialize()
    def open(self) -> None:
        """A fresh book."""
        self.holders, self.sent, self.numbers = Holders(), list[tuple[str, Json]](), count(1)
        self.position, self.is_tuned = 0, False
        self.name = f"merging-{next(self.books)}"
        _, token = self.runner.run(
            create_key(self.service.bench.ledger, self.name, name="tests", scopes=[Scope.ADMIN], source="crm")
        )
        self.api = self.service.client(token.text)
        for name, kind in zip(NAMES, KINDS, strict=False):
            self.post(name, kind, 0)

    @rule(name=names, kind=st.sampled_from(KINDS), days=st.sampled_from([0, 0, 1, 40, 200]))
    def post(self, name: str, kind: str, days: int) -> None:
        at = wire_time(self.service.bench.clock.now - days * DAY)
        body = {"id": str(next(self.numbers)), "customer": name, "kind": kind, "value_at": at}
        entry = self.asked("/v1/interactions", body, 201)["entry"]
        self.sent.append((entry["id"], body))

    @rule(number=which)
    def send_again(self, number: int) -> None:
        if self.sent:
            line_id, body = self.sent[number % len(self.sent)]
            self.asked("/v1/interactions", body, *self.holders.again(body["customer"], line_id))

    @rule(number=which)
    def reverse(self, number: int) -> None:
        left = [each for each, _ in self.sent if each not in self.holders.reversed]
        left = [each for each in left if self.holders.posted_on[each].home in self.holders.owns.values()]
        if left:
            self.asked(f"/v1/entries/{left[number % len(left)]}/reversal", {"reason": "mistaken"}, 201)

    @rule(name=names, days=st.integers(1, 20))
    def promise(self, name: str, days: int) -> None:
        due = wire_time(self.service.bench.clock.now + days * DAY)
        body = {"id": f"p{next(self.numbers)}", "customer": name, "kind": "promise.broken", "due_at": due}
        self.asked(
            "/v1/promises", {**body, "steps": [{"after": "P0D", "points": -8}, {"after": "P3D", "points": -45}]}, 201
        )

    @rule(number=which, days=st.integers(0, 9))
    def keep(self, number: int, days: int) -> None:
        open_ones = self.got("/v1/promises", limit=1000)["promises"]
        if open_ones:
            each = open_ones[number % len(open_ones)]
            at = max(instant_in(each["made_at"]), self.service.bench.clock.now - days * DAY)
            if each["state"] in ("open", "overdue", "broken"):
                self.asked(f"/v1/promises/{each['id']}/kept", {"value_at": wire_time(at)}, 201)

    @rule(name=names, segment=st.sampled_from([None, "vip"]))
    def describe(self, name: str, segment: str | None) -> None:
        if name in self.holders.owns:
            self.asked(address(name), {"segment": segment}, 200, method="PATCH")

    @rule(hours=st.sampled_from([1, 30, 24 * 4, 24 * 90]))
    def pass_time(self, hours: int) -> None:
        self.service.bench.clock.now += hours * DAY // 24 + 1
        for work in (post_due_steps, advance_due, sign_checkpoint):
            self.runner.run(work(self.service.bench.ledger, self.name))

    @rule(lives=st.sampled_from(LIVES))
    def tune(self, lives: Json) -> None:
        policy = self.got("/v1/policy")
        policy["half_lives"] |= lives
        self.asked("/v1/policy", policy, 200, 202, method="PUT")
        self.runner.run(carry_adoption(self.service.bench.ledger, self.name))
        self.is_tuned = True

    @rule(number=which, is_apt=st.integers(0, 3))
    def merge(self, number: int, is_apt: int) -> None:
        self.read()
        pairs = list(permutations(NAMES, 2)) if is_apt else list(product(NAMES, NAMES))
        apt = [pair for pair in pairs if is_apt and self.holders.are_apart(*pair)] or pairs
        customer, into = apt[number % len(apt)]
        expected = self.holders.merge(customer, into)
        self.did("merge", self.asked(address(customer) + "/merge", {"into": into}, *expected))

    @rule(number=which, is_apt=st.integers(0, 3))
    def merge_more(self, number: int, is_apt: int) -> None:
        self.merge(number, is_apt)

    @rule(number=which, is_apt=st.integers(0, 3))
    def unmerge(self, number: int, is_apt: int) -> None:
        self.read()
        merged = [name for name, own in self.holders.owns.items() if own.into and not own.into.into]
        apt = merged if is_apt and merged else NAMES
        customer = apt[number % len(apt)]
        self.did("unmerge", self.asked(address(customer) + "/unmerge", None, *self.holders.unmerge(customer)))

    @rule(number=which, is_apt=st.integers(0, 3))
    def unmerge_more(self, number: int, is_apt: int) -> None:
        self.unmerge(number, is_apt)

    @rule(number=which)
    def forget(self, number: int) -> None:
        if number % 4 != 3:
            return
        self.read()
        customer = NAMES[number % len(NAMES)]
        self.did("forget", self.asked(address(customer), None, *self.holders.forget(customer), method="DELETE"))
        self.post(customer, KINDS[0], 0)

    @invariant()
    def the_laws_hold(self) -> None:
        """All that is stored is verified; each name leads to what its home holds."""
        self.read()
        report = self.runner.run(verify(self.service.bench.ledger, self.name))
        assert report.findings == (), report.findings
        at = self.service.bench.clock.now
        for name in NAMES:
            response = self.runner.run(self.api.get(address(name)))
            own = self.holders.owns.get(name)
            assert (response.status_code == 200) == (own is not None), response.text
            if own is not None:
                shown = response.json()
                assert shown["balance"] == sum(line["points"] for line in own.home.held.values())
                assert shown["merged_into"] == (own.home.name if own.into else None)
                assert self.is_tuned or abs(shown["felt"] - own.home.felt(at)) < 0.006
        self.tally["steps"] += 1

    def teardown(self) -> None:
        """A rebuild changes nothing, and each merge and undoing was told of once."""
        bench, tables = self.service.bench, (accounts, crossings, merges, promises)
        before = self.runner.run(stored(bench, *tables, book=self.name))
        self.runner.run(rebuild(bench.ledger, self.name))
        after = self.runner.run(stored(bench, *tables, book=self.name))
        for name, rows in before.items():
            assert after[name] == rows, name
        assert self.runner.run(verify(bench.ledger, self.name)).is_sound
        told = [each["types"] for each in self.got("/v1/messages", limit=1000)["messages"]]
        lines = self.got("/v1/entries", limit=1000)["entries"]
        for kind, is_undone in (("account.merged", False), ("account.unmerged", True)):
            done = [line for line in lines if line["kind"] == "account.merged_from"]
            assert sum(kind in types for types in told) == sum(bool(each["reverses"]) == is_undone for each in done)
        self.tally["checkpoints"] += len(self.got("/v1/checkpoints", limit=1000)["checkpoints"])
        self.runner.run(self.api.aclose())

    def read(self) -> None:
        """Let the model see what the feed has beyond what it has seen."""
        page = self.got("/v1/entries", after=self.position, limit=1000)["entries"]
        self.position += len(page)
        self.holders.read([{**line, "at": instant_in(line["value_at"])} for line in page])

    def did(self, what: str, answer: Json) -> None:
        """Count it, and what it was refused as."""
        self.tally[f"{what} {answer.get('code', 'done')}"] += 1

    def got(self, path: str, **parameters: Any) -> Json:
        """What a GET answers."""
        return self.runner.run(got(self.api, path, **parameters))

    def asked(self, path: str, body: Json | None, *expected: int | str, method: str = "POST") -> Json:
        """What is answered to a request: one of the statuses, and the code if one is given."""
        headers = {"If-Match": "*"} if method == "PUT" else {}
        response = self.runner.run(self.api.request(method, path, json=body, headers=headers))
        answer: Json = response.json()
        assert response.status_code in expected, (expected, response.text)
        codes = [each for each in expected if isinstance(each, str) and each]
        assert not codes or answer["code"] in codes, (expected, answer)
        return answer
