"""What becomes of one item under the lock: replayed, in conflict, refused, or posted."""

from collections.abc import Callable
from typing import Any

from app.domain.entry import Draft, Entry
from app.domain.errors import (
    AlreadyReversed,
    Fault,
    InteractionConflict,
    InvalidInteraction,
    NotReversible,
    Refusal,
    SystemKind,
    UnknownEntry,
)
from app.domain.instant import Instant
from app.domain.interaction import (
    Interaction,
    ReversalRequest,
    canonical,
    content_of,
    fields_that_differ,
    reversal_content_of,
    settled_value_at,
)
from app.domain.tariff import is_system_kind
from app.domain.valuation import Valuation, value
from app.operations.append import Append, Item
from app.operations.outcome import Outcome, Posted, Refused


def decide(append: Append, item: Item) -> Outcome:
    """The outcome of one item; a refusal changes nothing in the append."""
    try:
        if isinstance(item, Interaction):
            return _decide_interaction(append, item)
        return _decide_reversal(append, item)
    except Refusal as refusal:
        return Refused(refusal=refusal)


def _decide_interaction(append: Append, interaction: Interaction) -> Posted:
    known = append.known.get((interaction.source, interaction.id))
    if known is not None:
        return _replayed(append, known, content_of(interaction), customer=interaction.customer)

    posting = _prepared(append, interaction)

    entry = posting()
    return Posted(entry=entry, account=append.accounts[entry.account_id], customer=interaction.customer, replayed=False)


def _decide_reversal(append: Append, request: ReversalRequest) -> Posted:
    target = _target(append, request)
    content = reversal_content_of(request, str(target.entry_id) if target else "")
    known = append.known.get((request.source, request.id)) if request.id is not None else None
    if known is not None:
        return _replayed(append, known, content, replacement=request.replacement)
    if target is None:
        raise UnknownEntry
    _refuse_irreversible(append, target)
    replacement = _prepared_replacement(append, request)

    entry = _post_reversal(append, request, target, content)
    return Posted(
        entry=entry,
        replacement=replacement(),
        account=append.accounts[entry.account_id],
        customer=append.customers[entry.account_id],
        replayed=False,
    )


def _refuse_irreversible(append: Append, target: Entry) -> None:
    if target.reverses is not None:
        raise NotReversible("A reversal cannot itself be reversed: post the interaction again under a new id.")
    if target.entry_id in append.reversals:
        raise AlreadyReversed(extra={"reversed_by": str(append.reversals[target.entry_id])})


def _post_reversal(append: Append, request: ReversalRequest, target: Entry, content: dict[str, Any]) -> Entry:
    account = append.accounts[target.account_id]
    entry_id = append.ledger.new_id()
    sealed, content_hash = append.sealed(account.account_id, entry_id, content)
    draft = Draft(
        entry_id=entry_id,
        kind=target.kind,
        points=-target.points,
        value_at=target.value_at,
        memory=target.memory,
        source=request.source,
        external_id=request.id,
        tariff_version=target.tariff_version,
        api_key_id=append.api_key_id,
        reverses=target.entry_id,
        context="{}",
        sealed=sealed,
        content_hash=content_hash,
    )
    return append.enter(account, draft, booked_at=_reversed_at(append, target))


def _prepared(append: Append, interaction: Interaction) -> Callable[[], Entry]:
    """Everything that can refuse an interaction, done; what is returned posts it."""
    if is_system_kind(interaction.kind):
        fault = Fault(pointer="/kind", code="system_kind", detail="choose a kind of the tariff that callers may post")
        raise SystemKind(faults=(fault,))
    booked_at = _booked_at(append, interaction.value_at)
    value_at = settled_value_at(interaction.value_at, booked_at)
    valuation = value(
        append.tariff,
        append.head.tariff_version,
        kind=interaction.kind,
        attributes=interaction.attributes or {},
        channel=interaction.context.get("channel"),
        touchpoint=interaction.context.get("touchpoint"),
        motive=interaction.context.get("motive"),
        source=interaction.source,
        points=interaction.points,
    )
    return lambda: _post(append, interaction, valuation, value_at=value_at, booked_at=booked_at)


def _post(
    append: Append, interaction: Interaction, valuation: Valuation, *, value_at: Instant, booked_at: Instant
) -> Entry:
    account = append.open_account(interaction.customer, booked_at)
    entry_id = append.ledger.new_id()
    sealed, content_hash = append.sealed(account.account_id, entry_id, content_of(interaction))
    draft = Draft(
        entry_id=entry_id,
        kind=interaction.kind,
        points=valuation.points,
        value_at=value_at,
        memory=valuation.memory,
        source=interaction.source,
        external_id=interaction.id,
        tariff_version=valuation.tariff_version,
        api_key_id=append.api_key_id,
        reverses=None,
        context=canonical(dict(interaction.context)).decode(),
        sealed=sealed,
        content_hash=content_hash,
    )
    return append.enter(account, draft, booked_at=booked_at)


def _booked_at(append: Append, value_at: Instant | None) -> Instant:
    """The append's one instant; while history is replayed, each item's own."""
    if append.booked_at is not None:
        return append.booked_at
    if value_at is None:
        fault = Fault(pointer="/value_at", code="missing", detail="history needs to say when it mattered")
        raise InvalidInteraction(faults=(fault,))
    return max(min(value_at, append.now), append.head.booked_at)


def _reversed_at(append: Append, target: Entry) -> Instant:
    """The append's one instant; while history is replayed, as soon as both are possible."""
    return append.booked_at if append.booked_at is not None else max(append.head.booked_at, target.booked_at)


def _replayed(
    append: Append,
    known: Entry,
    content: dict[str, Any],
    *,
    customer: str | None = None,
    replacement: Interaction | None = None,
) -> Posted:
    """The first answer again if the content is the same; InteractionConflict naming what differs if not."""
    is_same_customer = customer is None or append.account_id_of(customer) == known.account_id
    is_same_content = append.keys[known.account_id].digest(canonical(content)) == known.content_hash
    if not (is_same_customer and is_same_content):
        fields = fields_that_differ(append.content(known), content)
        raise _conflict(fields if is_same_customer else ("customer", *fields))
    replaced_by = append.known.get((replacement.source, replacement.id)) if replacement else None
    if replacement and replaced_by and append.account_id_of(replacement.customer) != replaced_by.account_id:
        raise _conflict(("replacement.customer",))
    return Posted(
        entry=known,
        account=append.accounts[known.account_id],
        customer=customer or append.customers[known.account_id],
        replayed=True,
        replacement=replaced_by,
    )


def _conflict(fields: tuple[str, ...]) -> InteractionConflict:
    detail = "differs from what was posted first; post a correction under a new id, or reverse the entry"
    faults = tuple(
        Fault(pointer="/" + "/".join(_escaped(part) for part in field.split(".", 1)), code="differs", detail=detail)
        for field in fields
    )
    return InteractionConflict(faults=faults, extra={"fields": list(fields)})


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _target(append: Append, request: ReversalRequest) -> Entry | None:
    if request.interaction is not None:
        target = append.known.get(request.interaction)
    else:
        target = append.targets.get(request.entry_id) if request.entry_id else None
    return target if target and target.account_id in append.effective else None


def _prepared_replacement(append: Append, request: ReversalRequest) -> Callable[[], Entry | None]:
    replacement = request.replacement
    if replacement is None:
        return lambda: None
    name = (replacement.source, replacement.id)
    if name == (request.source, request.id) or name in append.known:
        detail = "a replacement is posted by its reversal: give it an id that nothing on the ledger has"
        raise InteractionConflict(
            faults=(Fault(pointer="/replacement/id", code="id_taken", detail=detail),),
            extra={"fields": ["replacement.id"]},
        )
    try:
        return _prepared(append, replacement)
    except Refusal as refusal:
        raise refusal.under("/replacement") from None
