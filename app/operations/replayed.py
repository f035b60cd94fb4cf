"""What is on the ledger already: the first answer again, or a conflict that names what differs."""

from typing import Any

from app.domain.entry import Entry
from app.domain.errors import Fault, InteractionConflict
from app.domain.interaction import Interaction, canonical, fields_that_differ
from app.operations.append import Append
from app.operations.outcome import Posted


def replayed(
    append: Append,
    known: Entry,
    content: dict[str, Any],
    *,
    customer: str | None = None,
    replacement: Interaction | None = None,
) -> Posted:
    """The first answer again if the content is the same; InteractionConflict naming what differs if not."""
    is_same_customer = customer is None or append.account_id_of(customer) == known.account_id
    if not (is_same_customer and is_same_content(append, known, content)):
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
