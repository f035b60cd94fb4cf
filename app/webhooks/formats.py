"""The bodies that chat rooms want: one message as Slack's and as Teams' incoming webhooks take it."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from app.webhooks.headline import details, headline

Form = Literal["standard", "slack", "teams"]

_CARD_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def rendered(body: bytes, form: Form) -> bytes:
    """What is signed and sent: the message's own bytes, or a room's JSON made of them."""
    if form == "standard":
        return body
    message = json.loads(body)
    room = _slack(message) if form == "slack" else _teams(message)
    return json.dumps(room, ensure_ascii=False, separators=(",", ":")).encode()


def _slack(message: Mapping[str, Any]) -> dict[str, Any]:
    """`text` is what a notification shows, `blocks` what the room shows."""
    first, *rest = [_escaped(line) for line in (headline(message), *details(message))]
    said = {"type": "section", "text": _mrkdwn(first)}
    return {"text": first, "blocks": [said, *({"type": "context", "elements": [_mrkdwn(line)]} for line in rest)]}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}  # verbatim: no name becomes a link or a mention


def _escaped(text: str) -> str:
    """The three characters by which Slack tells its own from others' text: so that nothing mentions anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Mapping[str, Any]) -> dict[str, Any]:
    """An adaptive card of text runs: these, unlike text blocks, take no mark-up, so there is nothing to escape."""
    lines = [_run(headline(message), weight="Bolder"), *(_run(line, isSubtle=True) for line in details(message))]
    card = {"$schema": _CARD_SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": lines}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _run(text: str, **style: object) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
