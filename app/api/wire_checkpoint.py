"""Checkpoints and receipts on the wire: docs/verification.md says how a stranger checks them."""

from typing import Annotated, Literal

from pydantic import Field

from app.api.wire_base import WireOut

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
PublicKey = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")]


class CheckpointOut(WireOut):
    """Where the book stood, signed. What is signed are these very texts and numbers."""

    checkpoint: Literal[1] = Field(description="the version of this form")
    book: str
    number: int = Field(description="gapless from 1 in the book")
    since: int = Field(description="the position up to which the checkpoint before covers the ledger; 0 for the first")
    previous: Hash = Field(description="the hash of the checkpoint before; for the first one the genesis hash")
    position: int = Field(description="of the last entry that it covers")
    hash: Hash = Field(description="of that entry")
    root: Hash = Field(description="of the Merkle tree over the entries after `since` up to `position`")
    policy_version: int = Field(description="of the policy in force")
    policy_hash: Hash = Field(description="SHA-256 of that policy's RFC 8785 bytes")
    signed_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    public_key: PublicKey = Field(description="the `x` of the JWK")
    signature: str = Field(description="Ed25519, in base64")


class CheckpointsOut(WireOut):
    """A page of checkpoints; `next_after` is where the next page begins."""

    checkpoints: list[CheckpointOut]
    next_after: int


class PublicKeyOut(WireOut):
    """A public key as a JWK (RFC 8037), and since when it signs."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: PublicKey
    use: Literal["sig"] = "sig"
    alg: Literal["EdDSA"] = "EdDSA"
    created_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class PublicKeysOut(WireOut):
    """A JWK Set (RFC 7517): the keys that have signed the book's checkpoints; the last one signs now."""

    keys: list[PublicKeyOut]


class ProvenOut(WireOut):
    """A line of the ledger as `goodwill export` has it, and what leads from it to the root of a checkpoint."""

    position: int
    account_id: str
    sequence: int
    entry_id: str
    kind: str
    points: int
    balance_after: int
    value_at: int = Field(description="microseconds since 1970-01-01T00:00:00Z")
    booked_at: int = Field(description="the same")
    memory: str
    source: str
    external_id: str | None
    tariff_version: int
    api_key_id: str
    reverses: str | None
    context: str = Field(description="the text of a JSON object, as it was hashed")
    sealed: str = Field(description="what was reported, encrypted; in base64")
    carried: str | None
    previous: Hash
    hash: Hash
    checkpoint: int = Field(description="the number of the one that covers it")
    path: list[Hash] = Field(description="what stands beside the way from the entry's leaf up to the root, from below")


class ReceiptOut(WireOut):
    """What proves to anyone that these entries of one customer are on the ledger; it says nothing of anybody else."""

    receipt: Literal[1] = Field(description="the version of this form")
    canonical: Literal[1] = Field(description="the version of the entries' canonical form")
    book: str
    accounts: list[str] = Field(description="the id of the customer's account, and of those that are merged into it")
    entries: list[ProvenOut] = Field(description="by position")
    checkpoints: list[CheckpointOut] = Field(description="those that cover the entries")
    uncovered: list[str] = Field(description="the ids of the entries that no checkpoint covers yet")
    next_after: int | None = Field(description="the position after which the next page begins; null at the end")
