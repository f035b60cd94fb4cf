"""From a row to an interaction, refused exactly as the API would refuse it."""

import json
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from app.api.body import SINGLE_BYTES_MAX
from app.api.problems import faults_of
from app.api.strict_json import strict_json
from app.api.wire_in import InteractionIn
from app.cli.importing.mapping import Mapping, mapped
from app.cli.importing.table import Row
from app.domain.errors import BodyTooLarge, Fault, InvalidInteraction, Refusal
from app.domain.interaction import Interaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A row that may be posted. `is_shifted`: its local time never occurred."""

    line: int
    interaction: Interaction
    is_shifted: bool = False


def prepared(row: Row, mapping: Mapping | None, *, source: str | None) -> Prepared | None:
    """The interaction of a row, None if the mapping skips it. Raises the refusal that the API would answer with.

    Without a mapping the row is the interaction; `source` stands in where it names none.
    """
    if isinstance(row.values, Refusal):
        raise row.values
    if mapping is None:
        return Prepared(line=row.line, interaction=_interaction(row.values, source))
    if not isinstance(row.values, dict):
        raise InvalidInteraction(faults=(Fault(pointer="", code="wrong_type", detail="an object is accepted here."),))
    become = mapped(mapping, cast("dict[str, Any]", row.values))
    if become is None:
        return None
    interaction = _interaction(_as_sent(become.body), source)
    return Prepared(line=row.line, interaction=interaction, is_shifted=become.is_shifted)


def _interaction(body: Any, source: str | None) -> Interaction:
    try:
        return InteractionIn.model_validate(body).to_domain(source=source)
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
