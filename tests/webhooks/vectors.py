"""The vectors of Standard Webhooks that others sign by: one that its libraries ship, and some worked out from it."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Vector:
    name: str
    origin: str
    secret: str
    webhook_id: str
    webhook_timestamp: int
    body: str
    expected: str

    @property
    def headers(self) -> dict[str, str]:
        """What a receiver gets: a signature by an older secret comes with it."""
        return {
            "webhook-id": self.webhook_id,
            "webhook-timestamp": str(self.webhook_timestamp),
            "webhook-signature": f"v1,{'A' * 43}= {self.expected}",
        }


VECTORS = [Vector(**vector) for vector in json.loads((Path(__file__).parent / "vectors.json").read_text())]
