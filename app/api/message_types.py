"""The catalogue of messages: what may be subscribed to."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.api.body import StrictRoute
from app.api.message_catalogue import MEANINGS, message_schema
from app.api.message_examples import EXAMPLES
from app.api.openapi import ANSWERS
from app.api.state import Requires
from app.api.wire_message import MessageTypeOut, MessageTypesOut
from app.domain.api_key import ApiKey, Scope
from app.domain.message import GRAVITY

router = APIRouter(prefix="/v1/message-types", route_class=StrictRoute, tags=["webhooks"], responses=ANSWERS)

AnyKey = Annotated[ApiKey, Depends(Requires(tuple(Scope)))]

_TYPES = MessageTypesOut(
    message_types=[
        MessageTypeOut(
            type=each,
            gravity=gravity,
            description=MEANINGS[each],
            json_schema=message_schema(each),
            example=EXAMPLES[each],
        )
        for gravity, each in enumerate(GRAVITY, start=1)
    ]
)


@router.get("")
async def get_message_types(_key: AnyKey) -> MessageTypesOut:
    """Every type of message, gravest first, with the JSON Schema of its body and an example; for any key."""
    return _TYPES
