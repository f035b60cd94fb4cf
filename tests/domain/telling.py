"""What the fold of a life implies, as a test says it: instants and types."""

from app.domain.implied import implied_messages
from app.domain.policy import Policy, PolicyHistory
from tests.domain.told import Life, Message

POLICY = Policy()


def messages(life: Life, policy: Policy = POLICY) -> list[Message]:
    """What the fold of its life implies."""
    if not life.entries:
        return []
    told = implied_messages(life.entries, life.dated, PolicyHistory.always(policy))
    return [(message.at, [str(each) for each in message.types]) for message in told]


def types(life: Life, policy: Policy = POLICY) -> list[list[str]]:
    """The types of its messages."""
    return [found for _, found in messages(life, policy)]
