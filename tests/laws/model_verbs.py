"""What else may be asked of the model: reversals, promises, a sandbox's clock (DESIGN 2 and 3, decisions 11, 12)."""

from typing import Any

from tests.laws.model import Append, Book, Name, prepared, replayed
from tests.laws.model_account import Line
from tests.laws.model_promise import Answer, Promise, Step
from tests.laws.model_rules import DAY, SYSTEM_KINDS, Json, Refused, priced, valued

DUE_AHEAD_DAYS = 3652.5


def reverse(append: Append, target: Line | None, sent: Json) -> Answer:
    """Reverse a line; `sent` has a reason, perhaps an own id, perhaps a replacement. Raises Refused."""
    replacement = sent.get("replacement")
    if target is not None and target.is_erased:
        raise Refused(410, "interaction_erased")
    content: Json = {"reverses": target, "reason": sent["reason"]}
    if replacement is not None:
        content["replacement"] = replacement
    known = append.book.known.get(("crm", sent["id"])) if "id" in sent else None
    if known is not None:
        replaced_by = append.book.known.get(("crm", replacement["id"])) if replacement else None
        return Answer(line=replayed(known, content).line, replayed=True, replacement=replaced_by)
    if target is None:
        raise Refused(404, "unknown_entry")
    _refuse_irreversible(target)
    post = _replacing(append, sent, replacement)

    append.break_due(target.customer)
    line = append.reverse(target, source="crm", own_id=sent.get("id"), content=content)
    return Answer(line=line, replacement=post() if post else None)


def forget(book: Book, customer: str) -> Line:
    """Forget a customer; the line that says so. Raises Refused."""
    if customer not in book.accounts:
        raise Refused(404, "unknown_customer")
    line = book.append(_ended, customer)
    account = book.accounts.pop(customer)
    book.forgotten.append(account)
    for each in account.lines:
        each.is_erased = True
    for promise in [each for each in book.promises.values() if each.customer == customer]:
        del book.promises[promise.name]
    return line


def _ended(append: Append, customer: str) -> Line:
    append.break_due(customer)
    facts: dict[str, Any] = {"source": "goodwill", "own_id": None, "kind": "account.erased", "points": 0}
    facts |= {"memory": "lasting", "value_at": append.at, "tariff_version": append.book.tariff_version, "content": {}}
    return append.line(customer, **facts)


def _refuse_irreversible(target: Line) -> None:
    if target.reverses is not None or target.kind in SYSTEM_KINDS:
        raise Refused(409, "not_reversible")
    if target.reversed_by is not None:
        raise Refused(409, "already_reversed")


def _replacing(append: Append, sent: Json, replacement: Json | None) -> Any:
    if replacement is None:
        return None
    if replacement["id"] == sent.get("id") or ("crm", replacement["id"]) in append.book.known:
        raise Refused(409, "interaction_conflict", frozenset({"replacement.id"}))
    return prepared(append, replacement)


def make(append: Append, sent: Json) -> Answer:
    """Make a promise. Raises Refused."""
    book, name = append.book, ("crm", sent["id"])
    content = {key: value for key, value in sent.items() if key not in ("id", "customer")}
    if name in book.known:
        others = [] if book.known[name].customer == sent["customer"] else ["customer"]
        return Answer(
            line=replayed(book.known[name], content, *others).line, replayed=True, promise=book.promises.get(name)
        )
    made_at = append.settled(sent.get("value_at"))
    _check_due(append, sent["due_at"])
    promise = _agreed(book, sent, made_at)

    append.break_due(promise.customer)
    line = append.line(promise.customer, **_about(book, promise, "promise.made", made_at, content), own_id=sent["id"])
    book.promises[name] = promise
    return Answer(line=line, promise=promise)


def _agreed(book: Book, sent: Json, made_at: int) -> Promise:
    price = priced(book.prices, sent["kind"])
    kept_kind = sent.get("kept_kind", "promise.kept")
    kept = valued(book.prices, {**sent, "kind": kept_kind})
    totals = [(after, points) for after, points in sent.get("steps") or price.steps]
    steps: list[Step] = [(after, points, price.memory_of(points)) for after, points in totals]
    if not steps:
        points, memory = valued(book.prices, sent)
        steps = [(0, points, memory)]
    is_credit = isinstance(price.points, int) and price.points > 0
    if is_credit or steps[0][1] >= 0 or kept[0] < 0:
        raise Refused(422, "invalid_promise")
    return Promise(
        name=("crm", sent["id"]),
        customer=sent["customer"],
        kind=sent["kind"],
        kept_kind=kept_kind,
        due_at=sent["due_at"],
        grace=sent.get("grace", 0),
        steps=tuple(steps),
        kept=kept,
        tariff_version=book.tariff_version,
        made_at=made_at,
    )


def _check_due(append: Append, due_at: int) -> None:
    if not append.at < due_at <= append.at + DUE_AHEAD_DAYS * DAY:
        raise Refused(422, "invalid_promise")


def move(append: Append, name: Name, sent: Json) -> Answer:
    """Move a promise to another due time. Raises Refused."""
    promise = _named(append, name)
    content = {key: value for key, value in sent.items() if key != "id"} | {"promise": name[1]}
    known = _moved_before(append, promise, sent.get("id"), content)
    if known is not None:
        return Answer(line=replayed(known, content).line, replayed=True, promise=promise)
    value_at = append.settled(sent.get("value_at"))
    if promise.is_settled:
        raise Refused(409, "promise_settled")
    if promise.posted or append.at >= promise.due_at:
        raise Refused(409, "promise_overdue")
    if not sent["told_customer"] or sent["due_at"] == promise.due_at or value_at < promise.made_at:
        raise Refused(422, "invalid_promise")
    _check_due(append, sent["due_at"])

    append.break_due(promise.customer)
    price = append.book.prices["promise.moved"].points
    facts = _about(append.book, promise, "promise.moved", value_at, content) | {"points": price}
    promise.moves.append(append.line(promise.customer, **facts, own_id=sent.get("id")))
    promise.due_at = sent["due_at"]
    return Answer(line=promise.moves[-1], promise=promise)


def _moved_before(append: Append, promise: Promise, own_id: str | None, content: Json) -> Line | None:
    if own_id is not None:
        return append.book.known.get(("crm", own_id))
    last = promise.moves[-1] if promise.moves else None
    return last if last and last.content == content else None


def settle(append: Append, name: Name, state: str, sent: Json) -> Answer:
    """Keep a promise or withdraw it (`state`). Raises Refused."""
    promise = _named(append, name)
    content = {**sent, "promise": name[1], "state": state}
    if promise.settled_by is not None:
        if promise.state != state:
            raise Refused(409, "promise_settled")
        return Answer(line=replayed(promise.settled_by, content).line, replayed=True, promise=promise)
    value_at = append.settled(sent.get("value_at"))
    if value_at < promise.made_at:
        raise Refused(422, "invalid_promise")

    append.break_due(promise.customer, but=promise)
    _leave(append, promise, promise.standing(value_at), state)
    facts = _about(append.book, promise, f"promise.{state}", value_at, content)
    if state == "kept" and value_at <= promise.due_at:
        points, memory = promise.kept
        facts |= {"kind": promise.kept_kind, "points": points, "memory": memory}
        facts |= {"tariff_version": promise.tariff_version}
    promise.settled_by = append.line(promise.customer, **facts, own_id=None)
    promise.state = state
    return Answer(line=promise.settled_by, promise=promise)


def _leave(append: Append, promise: Promise, standing: int, state: str) -> None:
    """Just so many steps stand: later ones are taken out again, missing ones posted."""
    for step in reversed(promise.posted[standing:]):
        if step.reversed_by is None:
            append.reverse(step, source="crm", own_id=None, content={"reason": state})
    for n in range(len(promise.posted) + 1, standing + 1):
        append.step(promise, n)


def _about(book: Book, promise: Promise, kind: str, value_at: int, content: Json) -> dict[str, Any]:
    """A line about a promise that is worth nothing."""
    return {
        "source": promise.name[0],
        "kind": kind,
        "points": 0,
        "memory": "passing",
        "value_at": value_at,
        "tariff_version": book.tariff_version,
        "content": content,
        "context": {"promise": promise.name[1]},
    }


def _named(append: Append, name: Name) -> Promise:
    promise = append.book.promises.get(name)
    if promise is None:
        raise Refused(404, "unknown_promise")
    return promise


def post_due(book: Book, *, by: int, at: int | None) -> None:
    """Post all steps due by then: at one instant, or (None) each when it is due, but not before the next write."""
    since, append = book.instant(), Append(book=book, at=book.instant())
    dues = [due for promise in book.promises.values() for due in promise.due(by)]
    for due_at, promise, n in sorted(dues, key=lambda due: (due[0], due[1].name, due[2])):
        append.at = max(due_at, since) if at is None else at
        append.step(promise, n)
    append.finish()


def move_clock(book: Book, by: int) -> tuple[int, int]:
    """Move a sandbox's clock ahead; from when to when."""
    begun = book.read_at
    post_due(book, by=book.now + by, at=None)
    book.now += by
    book.tick()
    return begun, max(book.now, begun)
