"""`goodwill openapi`: the OpenAPI document of this release."""

import json

from app.main import Opened, create_app
from app.settings import Settings


def openapi_text() -> str:
    """The document as it is committed: two spaces, sorted keys, a newline at the end; whatever the environment."""
    document = create_app(Opened(Settings.model_construct())).openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def print_openapi() -> None:
    """Print the OpenAPI document."""
    print(openapi_text(), end="")
