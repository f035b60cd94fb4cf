"""The append, on both databases."""

from app.domain.interaction import Interaction
from app.operations.outcome import Posted, Refused
from app.operations.record import record
from tests.conftest import Bench


def interaction(number: int, kind: str = "apology.first", customer: str = "ada") -> Interaction:
    return Interaction(source="crm", id=str(number), customer=customer, kind=kind)


async def test_a_batch_is_answered_in_order_and_a_refused_item_never_touches_its_neighbours(bench: Bench) -> None:
    batch = [interaction(1), interaction(2, kind="no.such_kind"), interaction(3, customer="bob")]

    first, refused, last = await record(bench.ledger, bench.book, batch, api_key_id=bench.key_id)

    assert isinstance(first, Posted)
    assert isinstance(refused, Refused)
    assert isinstance(last, Posted)
    assert [first.entry.position, last.entry.position] == [1, 2]
