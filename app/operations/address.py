"""What a subscription keeps sealed: where it is, and the secrets that sign what is sent there."""

import json
from dataclasses import asdict, dataclass, field, replace
from uuid import UUID

from app.domain.instant import Instant
from app.domain.subscription import Subscription
from app.operations.ledger import Ledger
from app.sealing.keys import Key, subscription_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """`whsec_…`, and until when it signs; null: until it is replaced."""

    secret: str = field(repr=False)
    until: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A subscription's URL, as it is and as it is kept, and its secrets, newest first."""

    url: str = field(repr=False)
    sealed_url: bytes = field(repr=False)
    secrets: tuple[Secret, ...]

    def signing(self, now: Instant) -> list[str]:
        """The secrets that sign at `now`."""
        return [each.secret for each in self.secrets if each.until is None or now < each.until]


def sealed_url(ledger: Ledger, book: str, key: Key, subscription_id: UUID, url: str) -> bytes:
    """The URL, sealed for its subscription."""
    return key.seal(url.encode(), subscription_place(book, subscription_id, "url"), entropy=ledger.entropy)


def sealed_secrets(ledger: Ledger, book: str, key: Key, subscription_id: UUID, secrets: tuple[Secret, ...]) -> bytes:
    """The secrets, sealed for their subscription."""
    plain = json.dumps([asdict(each) for each in secrets]).encode()
    return key.seal(plain, subscription_place(book, subscription_id, "secrets"), entropy=ledger.entropy)


def url_of(book: str, key: Key, subscription: Subscription) -> str:
    """Where the subscription is. Requires one that is not deleted."""
    place = subscription_place(book, subscription.subscription_id, "url")
    return key.open(subscription.sealed_url, place).decode()


def resealed(ledger: Ledger, book: str, subscription: Subscription, *, before: Key, after: Key) -> Subscription:
    """The subscription under another key of its book. Requires one that is not deleted."""
    found, subscription_id = address_of(book, before, subscription), subscription.subscription_id
    return replace(
        subscription,
        sealed_url=sealed_url(ledger, book, after, subscription_id, found.url),
        sealed_secrets=sealed_secrets(ledger, book, after, subscription_id, found.secrets),
    )


def address_of(book: str, key: Key, subscription: Subscription) -> Address:
    """All that is needed to send to the subscription. Requires one that is not deleted."""
    place = subscription_place(book, subscription.subscription_id, "secrets")
    found = json.loads(key.open(subscription.sealed_secrets, place))
    return Address(
        url=url_of(book, key, subscription),
        sealed_url=subscription.sealed_url,
        secrets=tuple(Secret(**each) for each in found),
    )
