"""What is on the ledger already: the first answer again, or a conflict that names what differs."""

from collections.abc import Sequence
from typing import Any

from app.domain.entry import Entry
from app.domain.errors import Fault, InteractionConflict, InteractionErased
from app.domain.interaction import (
    Interaction,
    canonical,
    content_of,
    fields_that_differ,
    whole_reversal_content,
)
from app.operations.append import Append
from app.operations.outcome import Posted


def replayed(
    append: Append,
    known: Entry,
    content: dict[str, Any],
    *,
    names: Sequence[str] = (),
    replacement: Interaction | None = None,
) -> Posted:
    """The first answer again if the content is the same; InteractionConflict naming what differs if not.

    InteractionErased if nobody can know what the content was: the customer was forgotten since.
    """
    refuse_erased(append, known)
    replaced_by = append.known.get((replacement.source, replacement.id)) if replacement else None
    if replaced_by is not None:
        refuse_erased(append, replaced_by)
    fields = {*_differing(append, known, content, replacement)}
    if replacement and replaced_by and not is_same_content(append, replaced_by, content_of(replacement)):
        fields.add("replacement")
    is_same_customer = not names or _lead_to(append, names, known)
    if fields or not is_same_customer:
        raise _conflict((*([] if is_same_customer else ["customer"]), *sorted(fields)))
    if replacement and replaced_by and not _lead_to(append, replacement.names, replaced_by):
        raise _conflict(("replacement.customer",))
    return Posted(
        entry=known,
        account=append.accounts[append.home(known.account_id)],
        customer=names[0] if names else append.customers[append.home(known.account_id)],
        replayed=True,
        replacement=replaced_by,
    )


def _lead_to(append: Append, names: Sequence[str], known: Entry) -> bool:
    """Whether all of these names that are known lead to where the entry is now, and one is."""
    return {append.account_id_of(name) for name in names} - {None} == {append.home(known.account_id)}


def refuse_erased(append: Append, known: Entry) -> None:
    """InteractionErased if the entry's customer was forgotten: there is no account any more."""
    if append.home(known.account_id) not in append.accounts:
        raise InteractionErased


def _differing(
    append: Append, known: Entry, content: dict[str, Any], replacement: Interaction | None
) -> tuple[str, ...]:
    if is_same_content(append, known, content):
        return ()
    first = append.content(known)
    if replacement is not None and "kind" in first.get("replacement", ()):
        content = whole_reversal_content(content, replacement)
    return fields_that_differ(first, content)


def is_same_content(append: Append, known: Entry, content: dict[str, Any]) -> bool:
    """Whether the entry was posted with just this content."""
    return append.keys[known.account_id].digest(canonical(content)) == known.content_hash


def _conflict(fields: tuple[str, ...]) -> InteractionConflict:
    detail = "differs from what was posted first; post a correction under a new id, or reverse the entry"
    faults = tuple(
        Fault(pointer="/" + "/".join(_escaped(part) for part in field.split(".", 1)), code="differs", detail=detail)
        for field in fields
    )
    return InteractionConflict(faults=faults, extra={"fields": list(fields)})


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
