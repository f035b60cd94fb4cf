"""From a row to what is recorded, refused exactly as the API would refuse it."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from app.api.body import SINGLE_BYTES_MAX
from app.api.problems import faults_of
from app.api.strict_json import strict_json
from app.api.wire_fields import Identifier
from app.api.wire_in import InteractionIn
from app.api.wire_promise_in import PromiseIn, SettledIn
from app.cli.importing.mapping import Does, Mapping, mapped
from app.cli.importing.table import Row
from app.domain.errors import Fault, InvalidInteraction, Refusal
from app.domain.interaction import Interaction
from app.domain.promise import State
from app.domain.promise_request import MakePromise, SettlePromise
from app.domain.request_errors import BodyTooLarge

Told = Interaction | MakePromise | SettlePromise

_Body = TypeVar("_Body", bound=BaseModel)


class KeptIn(SettledIn):
    """As POST /v1/promises/{id}/kept takes it, with the id of its path."""

    id: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A row that may be posted. `is_shifted`: its local time never occurred."""

    line: int
    item: Told
    is_shifted: bool = False


def prepared(row: Row, mapping: Mapping | None, *, source: str | None) -> Prepared | None:
    """What a row says, None if the mapping skips it. Raises the refusal that the API would answer with.

    Without a mapping the row is the interaction; `source` stands in where it names none.
    """
    if isinstance(row.values, Refusal):
        raise row.values
    if mapping is None:
        return Prepared(line=row.line, item=_item(Does.POST, row.values, source))
    if not isinstance(row.values, dict):
        raise InvalidInteraction(faults=(Fault(pointer="", code="wrong_type", detail="an object is accepted here."),))
    become = mapped(mapping, cast("dict[str, Any]", row.values))
    if become is None:
        return None
    item = _item(become.does, _as_sent(become.body), source)
    return Prepared(line=row.line, item=item, is_shifted=become.is_shifted)


def _item(does: Does, body: Any, source: str | None) -> Told:
    match does:
        case Does.POST:
            return _read(InteractionIn, body).to_domain(source=source)
        case Does.MAKE:
            return _read(PromiseIn, body).to_domain(source=source)
        case Does.KEEP:
            kept = _read(KeptIn, body)
            return kept.to_domain(kept.id, State.KEPT, source=source)


def _read(model: type[_Body], body: Any) -> _Body:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        faults = faults_of(error.errors(include_input=False, include_url=False))
        raise InvalidInteraction(faults=faults) from None


def _as_sent(body: dict[str, Any]) -> Any:
    """The body as it would arrive by HTTP: what an expression may give and JSON may not hold is refused there."""
    try:
        sent = json.dumps(body).encode()
    except (TypeError, ValueError):
        detail = "an expression of the mapping gives a value that JSON cannot hold."
        raise InvalidInteraction(detail, faults=(Fault(pointer="", code="json_invalid", detail=detail),)) from None
    if len(sent) > SINGLE_BYTES_MAX:
        raise BodyTooLarge(f"At most {SINGLE_BYTES_MAX} bytes are accepted here.")
    return strict_json(sent)
