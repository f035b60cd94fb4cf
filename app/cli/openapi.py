"""`goodwill openapi`: the OpenAPI document of this release, and the JSON Schemas of its messages."""

import json
from pathlib import Path
from typing import Annotated

import typer

from app.api.message_catalogue import schema_text
from app.domain.message import GRAVITY
from app.main import Opened, create_app
from app.settings import Settings


def openapi_text() -> str:
    """The document as it is committed: two spaces, sorted keys, a newline at the end; whatever the environment."""
    document = create_app(Opened(Settings.model_construct())).openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def print_openapi(
    webhooks: Annotated[
        Path | None, typer.Option(help="a folder: write the schema of each type of message there")
    ] = None,
) -> None:
    """Print the OpenAPI document."""
    if webhooks is not None:
        webhooks.mkdir(parents=True, exist_ok=True)
        for each in GRAVITY:
            (webhooks / f"{each}.json").write_text(schema_text(each), encoding="utf-8")
    print(openapi_text(), end="")
