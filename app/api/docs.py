"""The documentation page, served whole from here: an operator's network may reach nothing else."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

from app.api.safe_headers import page_policy

ASSETS = "/docs/assets"
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def install(app: FastAPI) -> None:
    """Serve Swagger UI under /docs, with its script and style from the package that ships them."""
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")))
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "/openapi.json",
        title=app.title,
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
    )
    (script,) = _SCRIPT.findall(bytes(page.body))
    policy = page_policy(b64encode(sha256(script).digest()).decode()).decode()

    @app.get("/docs", include_in_schema=False)
    async def _docs() -> HTMLResponse:
        own = {"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin"}
        return HTMLResponse(page.body, headers=own)
