"""A message's id in a path."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_MESSAGE_ID = re.compile(r"msg_[0-9a-f]{32}")


def _is_message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise PydanticCustomError("text_invalid", "send a message's id: msg_ and 32 hexadecimal digits")
    return text


MessagePath = Annotated[
    str,
    AfterValidator(_is_message_id),
    Path(description="the message's id, as in webhook-id", json_schema_extra={"pattern": "^msg_[0-9a-f]{32}$"}),
]


def message_id_of(text: str) -> UUID:
    """The id behind what stands on the wire."""
    return UUID(text.removeprefix("msg_"))
