"""The policy as a JSON document, and back."""

import json
from dataclasses import asdict
from typing import Any

from app.domain.policy import HalfLives, Policy, Thresholds


def policy_document(policy: Policy) -> str:
    """The policy as JSON text; its version is kept beside it, not in it."""
    document = {
        "half_lives": asdict(policy.half_lives),
        "thresholds": asdict(policy.thresholds),
        "segments": {name: asdict(thresholds) for name, thresholds in policy.segments.items()},
    }
    return json.dumps(document, sort_keys=True)


def parse_policy(text: str, version: int) -> Policy:
    """The policy of a document that `policy_document` wrote."""
    document: dict[str, Any] = json.loads(text)
    return Policy(
        version=version,
        half_lives=HalfLives(**document["half_lives"]),
        thresholds=Thresholds(**document["thresholds"]),
        segments={name: Thresholds(**fields) for name, fields in document["segments"].items()},
    )
