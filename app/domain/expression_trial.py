"""A dry run of a kind's expressions over sample values, so that a type error is met at adoption and not at posting.

A sample has the very types that posting gives, so an operation that meets a wrong type is the expression's own fault.
A table that lacks the sample, or a division by it, is not: the sample is ours, and no caller may ever send it.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice, product

from app.domain.attribute import INTEGER_MAX, typed_value
from app.domain.expression import EvaluationFailed, Expression, evaluate_condition, evaluate_points
from app.domain.expression_syntax import CONTEXT_NAMES, Flaw
from app.domain.tariff import AttributeType, KindRule, Need

_TRIALS_MAX = 200
_LITERALS_MAX = 15

Sample = dict[str, object]
_CONTEXT = Need(type=AttributeType.STRING, says="")


def trial_flaws(rule: KindRule) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with `requires` and `points`, each as the field and its flaw."""
    samples = tuple(islice(_samples(rule), _TRIALS_MAX))
    if rule.requires is not None and (flaw := _condition_flaw(rule.requires, samples)) is not None:
        yield "requires", flaw
    elif isinstance(rule.points, Expression) and (flaw := _points_flaw(rule, rule.points, samples)) is not None:
        yield "points", flaw


def _condition_flaw(requires: Expression, samples: Sequence[Sample]) -> Flaw | None:
    for sample in samples:
        try:
            holds = evaluate_condition(requires, sample)
        except EvaluationFailed as failed:
            if failed.by_type or requires.is_constant:
                return Flaw(code="expression_fails", detail=failed.reason)
        else:
            if requires.is_constant and not holds:
                return Flaw(code="expression_never_true", detail="no interaction can ever meet it.")
    return None


def _points_flaw(rule: KindRule, points: Expression, samples: Sequence[Sample]) -> Flaw | None:
    admitted = [sample for sample in samples if _admits(rule, sample)]
    failures = [_failure(rule, points, sample) for sample in admitted or samples]
    grave = [failure for failure in failures if failure is not None]
    # Where `requires` admits none of our samples, a failure may lie behind it: then only all of them count.
    if grave and (admitted or len(grave) == len(failures)):
        return Flaw(code="expression_fails", detail=grave[0])
    return None


def _admits(rule: KindRule, sample: Sample) -> bool:
    if rule.requires is None:
        return True
    try:
        return evaluate_condition(rule.requires, sample)
    except EvaluationFailed:
        return False


def _failure(rule: KindRule, points: Expression, sample: Sample) -> str | None:
    try:
        worth = evaluate_points(points, sample)
    except EvaluationFailed as failed:
        return failed.reason if failed.by_type or points.is_constant else None
    if points.is_constant and not rule.least <= worth <= rule.most:
        return "it always lies outside `least` to `most`."
    return None


def _samples(rule: KindRule) -> Iterator[Sample]:
    expressions = [part for part in (rule.points, rule.requires) if isinstance(part, Expression)]
    literals = tuple(chain.from_iterable(part.literals for part in expressions))[:_LITERALS_MAX]
    choices = [_choices(need, literals) for need in rule.needs.values()]
    choices += [_choices(_CONTEXT, literals) if name in rule.context_used else ("",) for name in CONTEXT_NAMES]
    for values in _combinations(choices):
        context = values[len(rule.needs) :]
        yield {
            "attributes": dict(zip(rule.needs, values, strict=False)),
            **dict(zip(CONTEXT_NAMES, context, strict=True)),
        }


def _combinations(choices: Sequence[Sequence[object]]) -> Iterator[tuple[object, ...]]:
    """All in step, then one varied at a time, then the product: the first few hundred of them touch every value."""
    for turn in range(max(map(len, choices))):
        yield tuple(values[turn % len(values)] for values in choices)
    first = tuple(values[0] for values in choices)
    for place, values in enumerate(choices):
        for value in values:
            yield (*first[:place], value, *first[place + 1 :])
    yield from product(*choices)


def _choices(need: Need, literals: Sequence[float | str]) -> Sequence[object]:
    """Values of the need's type: what is taken otherwise, and the expression's own literals and their neighbours."""
    usual: list[object] = [need.otherwise]
    if need.type is AttributeType.BOOLEAN:
        usual += [False, True]
    elif need.type is AttributeType.STRING:
        usual += ["", "a", "1", "a long text" * 9, *(literal for literal in literals if isinstance(literal, str))]
    else:
        numbers = [literal for literal in literals if isinstance(literal, int | float)]
        usual += [0, 1, -(10**6), 10**6]
        usual += [sign * number + step for number in numbers for sign in (1, -1) for step in (-1, 0, 1)]
    typed = (typed_value(need.type, value) for value in usual if value is not None and _is_near(value))
    return tuple(dict.fromkeys(value for value in typed if value is not None))


def _is_near(value: object) -> bool:
    return not isinstance(value, int | float) or abs(value) <= INTEGER_MAX
