"""What becomes of one item under the lock: replayed, in conflict, refused, or posted."""

from collections.abc import Callable
from typing import Any

from app.domain.entry import Entry
from app.domain.erasure import ERASED, Erasure
from app.domain.errors import (
    AlreadyReversed,
    Fault,
    InteractionConflict,
    NotReversible,
    Refusal,
    UnknownCustomer,
    UnknownEntry,
)
from app.domain.instant import Instant
from app.domain.interaction import (
    SYSTEM_SOURCE,
    Interaction,
    ReversalRequest,
    canonical,
    content_of,
    reversal_content_of,
    settled_value_at,
)
from app.domain.policy import Memory
from app.domain.tariff import is_system_kind
from app.domain.valuation import Valuation, refuse_system_kind, value
from app.operations.append import Append, Item, Posting
from app.operations.break_due import break_due
from app.operations.decide_promise import decide_promise
from app.operations.naming import account_named
from app.operations.outcome import Outcome, Posted, Refused
from app.operations.replayed import refuse_erased, replayed


def decide(append: Append, item: Item) -> Outcome:
    """The outcome of one item; a refusal changes nothing in the append."""
    try:
        match item:
            case Interaction():
                return _decide_interaction(append, item)
            case ReversalRequest():
                return _decide_reversal(append, item)
            case Erasure():
                return _decide_erasure(append, item)
            case _:
                return decide_promise(append, item)
    except Refusal as refusal:
        return Refused(refusal=refusal)


def _decide_interaction(append: Append, interaction: Interaction) -> Posted:
    known = append.known.get((interaction.source, interaction.id))
    if known is not None:
        return replayed(append, known, content_of(interaction), names=interaction.names)

    posting = _prepared(append, interaction)

    entry = posting()
    return Posted(entry=entry, account=append.accounts[entry.account_id], customer=interaction.customer, replayed=False)


def _decide_reversal(append: Append, request: ReversalRequest) -> Posted:
    target = _target(append, request)
    if target is not None:
        refuse_erased(append, target)
    content = reversal_content_of(request, str(target.entry_id) if target else "")
    known = append.known.get((request.source, request.id)) if request.id is not None else None
    if known is not None:
        return replayed(append, known, content, replacement=request.replacement)
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


def _decide_erasure(append: Append, erasure: Erasure) -> Posted:
    account_id = append.account_id_of(erasure.customer)
    if account_id is None:
        raise UnknownCustomer
    booked_at = append.booked(append.now)
    break_due(append, account_id, booked_at)
    posting = Posting(
        kind=ERASED,
        points=0,
        memory=Memory.LASTING,
        value_at=booked_at,
        source=SYSTEM_SOURCE,
        external_id=None,
        tariff_version=append.head.tariff_version,
        api_key_id=append.api_key_id,
    )
    entry = append.post(account_id, posting, {}, booked_at=booked_at)
    append.erased |= {account_id, *append.merges.members.get(account_id, ())}
    return Posted(entry=entry, account=append.accounts[account_id], customer=erasure.customer, replayed=False)


def _refuse_irreversible(append: Append, target: Entry) -> None:
    if target.reverses is not None:
        raise NotReversible("A reversal cannot itself be reversed: post the interaction again under a new id.")
    if is_system_kind(target.kind):
        raise NotReversible("This entry is about a promise or a merge: move or withdraw the one, undo the other.")
    if target.entry_id in append.reversals:
        raise AlreadyReversed(extra={"reversed_by": str(append.reversals[target.entry_id])})


def _post_reversal(append: Append, request: ReversalRequest, target: Entry, content: dict[str, Any]) -> Entry:
    booked_at = append.booked_at if append.booked_at is not None else max(append.head.booked_at, target.booked_at)
    break_due(append, append.home(target.account_id), booked_at)
    return append.reverse(target, content, source=request.source, external_id=request.id, booked_at=booked_at)


def _prepared(append: Append, interaction: Interaction) -> Callable[[], Entry]:
    """Everything that can refuse an interaction, done; what is returned posts it."""
    refuse_system_kind(interaction.kind)
    append.account_id_of_all(interaction.names)
    booked_at = append.booked(interaction.value_at)
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
    account_id = account_named(append, interaction.names, booked_at).account_id
    break_due(append, account_id, booked_at)
    posting = Posting(
        kind=interaction.kind,
        points=valuation.points,
        memory=valuation.memory,
        value_at=value_at,
        source=interaction.source,
        external_id=interaction.id,
        tariff_version=valuation.tariff_version,
        api_key_id=append.api_key_id,
        context=canonical(dict(interaction.context)).decode(),
    )
    return append.post(account_id, posting, content_of(interaction), booked_at=booked_at)


def _target(append: Append, request: ReversalRequest) -> Entry | None:
    if request.interaction is not None:
        target = append.known.get(request.interaction)
    else:
        target = append.targets.get(request.entry_id) if request.entry_id else None
    return target if target and append.home(target.account_id) in append.effective else None


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
