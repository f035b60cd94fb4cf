"""The refusals of webhooks."""

from app.domain.errors import Refusal


class InvalidSubscription(Refusal):
    """What is asked of the subscription is refused."""

    code = "invalid_subscription"


class UnknownSubscription(Refusal):
    """The book has no such subscription."""

    code = "unknown_subscription"


class UnknownDelivery(Refusal):
    """This message was never for this subscription."""

    code = "unknown_delivery"


class UnknownMessage(Refusal):
    """The book has no such message."""

    code = "unknown_message"


class TooManySubscriptions(Refusal):
    """The book has as many subscriptions as it may have."""

    code = "too_many_subscriptions"


class MessageExpired(Refusal):
    """What the message said is kept no longer, so that it cannot be sent again."""

    code = "message_expired"
