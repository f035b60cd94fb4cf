"""Where floats cannot tell: what lies ahead is found all the same."""

from app.domain.crossing import advance
from app.domain.instant import YEAR
from app.domain.memory import Masses
from app.domain.policy import HalfLives, Policy
from app.domain.standing import STEADY, Direction
from tests.domain.strategies import account_of


def test_a_debt_that_fades_into_nothing_is_found_to_where_float_noise_flickers_for_many_microseconds() -> None:
    lives = HalfLives(lasting=2527.4315697568923, passing=180.0, deep=169.79310820637363, observed=120.0, fresh=180.0)
    left = Masses(
        at=1767268800000011,
        credits=(19.999999999999428, 0.0, 1.8648118868843926, 0.0),
        debits=(19.999999999999556, 0.0, 0.0, 11.999999999994385),
        big=(19.999999999999428, 0.0, 0.0, 0.0),
    )
    policy = Policy(half_lives=lives)
    moved, crossings = advance(account_of(left, policy, Direction.DEBIT), policy, left.at + 10 * YEAR - 1)
    assert [each.at for each in crossings] == [1862227624908398]
    assert moved.place == STEADY
