"""A CEL expression of a tariff, compiled and checked once, when the tariff is adopted."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.cel_alone import cel
from app.domain.expression_syntax import (
    CONTEXT_NAMES,
    FUNCTIONS,
    METHODS,
    Flaw,
    Reading,
    place_in_words,
    read_names,
    size_flaw,
    tokens_of,
)

EXPRESSION_LENGTH_MAX = 2000

# What the library reports for operators and for the insides of macros.
_OPERATORS = frozenset(
    {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_", "_%_", "_&&_", "_||_", "!_", "-_"}
    | {"_?_:_", "_[_]", "@in", "@not_strictly_false"}
)
_ERROR_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+):")
# What `execute` raises when an operation meets a type it has no meaning for; an unknown overload is reported so too.
_NO_OVERLOAD = "Undefined variable or function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A compiled expression; two are equal when their sources are. `literals` are its numbers and strings."""

    source: str
    attributes: tuple[str, ...]
    context: tuple[str, ...]
    literals: tuple[float | str, ...]
    program: cel.Program = field(compare=False, repr=False)

    @property
    def is_constant(self) -> bool:
        """Whether it gives the same for every interaction."""
        return not (self.attributes or self.context)


class Reason(StrEnum):
    """Why an expression gave no value, in words that quote nothing."""

    TYPES = "it combines values that do not go together."
    OVERLOAD = "it uses a function on a value of the wrong type."
    NO_NUMBER = "it gives something else than a number."
    NO_CONDITION = "it gives something else than true or false."
    NO_KEY = "it looks up a name that its table lacks."
    NO_INDEX = "it looks up a place beyond the end of its list."
    NO_WHOLE_NUMBER = "it gives no whole number."
    NOT_COMPUTABLE = "it cannot be computed from these values."


_BY_TYPE = frozenset({Reason.TYPES, Reason.OVERLOAD, Reason.NO_NUMBER, Reason.NO_CONDITION})


class EvaluationFailed(Exception):
    """An expression gave no value. `by_type`: some operation, or the tariff, met a type it has no meaning for."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
        self.by_type = reason in _BY_TYPE


def compile_expression(source: str, declared: Collection[str]) -> Expression | tuple[Flaw, ...]:
    """The expression ready to evaluate, or all that is wrong with it. It may use the `declared` attributes alone."""
    if len(source) > EXPRESSION_LENGTH_MAX:
        return (_flaw("expression_too_long", f"it has more than {EXPRESSION_LENGTH_MAX} characters."),)
    tokens = tokens_of(source)
    if (flaw := size_flaw(tokens)) is not None:
        return (flaw,)
    try:
        program = cel.compile(source)
    except ValueError as error:
        return (_syntax_flaw(source, str(error)),)
    reading = read_names(source, tokens)
    if flaws := (*reading.flaws, *_undeclared(reading, declared)) or _unexplained(program, reading):
        return flaws
    return Expression(
        source=source,
        attributes=tuple(dict.fromkeys(name for name, _ in reading.attributes)),
        context=reading.context,
        literals=_literals(reading),
        program=program,
    )


def evaluate(expression: Expression, variables: dict[str, object]) -> object:
    """What the expression gives. Raises `EvaluationFailed` and nothing else."""
    try:
        result: object = expression.program.execute(variables)
    except TypeError as error:
        raise EvaluationFailed(Reason.TYPES) from error
    except KeyError as error:
        raise EvaluationFailed(Reason.NO_KEY) from error
    except IndexError as error:
        raise EvaluationFailed(Reason.NO_INDEX) from error
    except (ArithmeticError, RuntimeError, ValueError) as error:
        if _NO_OVERLOAD in str(error):
            raise EvaluationFailed(Reason.OVERLOAD) from error
        raise EvaluationFailed(Reason.NOT_COMPUTABLE) from error
    return result


def evaluate_points(expression: Expression, variables: dict[str, object]) -> int:
    """The whole number that the expression gives; 5.0 is 5. Raises `EvaluationFailed` and nothing else."""
    result = evaluate(expression, variables)
    if type(result) is int:
        return result
    if not isinstance(result, float):
        raise EvaluationFailed(Reason.NO_NUMBER)
    if not math.isfinite(result) or not result.is_integer():
        raise EvaluationFailed(Reason.NO_WHOLE_NUMBER)
    return int(result)


def evaluate_condition(expression: Expression, variables: dict[str, object]) -> bool:
    """Whether the condition holds. Raises `EvaluationFailed` and nothing else."""
    result = evaluate(expression, variables)
    if not isinstance(result, bool):
        raise EvaluationFailed(Reason.NO_CONDITION)
    return result


def _flaw(code: str, detail: str) -> Flaw:
    return Flaw(code=code, detail=detail)


def _syntax_flaw(source: str, message: str) -> Flaw:
    found = _ERROR_PLACE.search(message)
    line, column = (int(found[1]), int(found[2])) if found else (1, 1)
    place = place_in_words(line, column, several="\n" in source)
    return _flaw("expression_does_not_compile", f"the expression is no valid CEL at {place}.")


def _undeclared(reading: Reading, declared: Collection[str]) -> tuple[Flaw, ...]:
    return tuple(
        _flaw("expression_undeclared_attribute", f"at {place}: `needs` does not declare this attribute.")
        for name, place in reading.attributes
        if name not in declared
    )


def _unexplained(program: cel.Program, reading: Reading) -> tuple[Flaw, ...]:
    """Names that the library sees and our reading does not: refused, so that a misreading can only refuse too much."""
    flaws: list[Flaw] = []
    if not {"attributes", *CONTEXT_NAMES, *reading.bound}.issuperset(program.variables()):
        known = ", ".join(("attributes", *CONTEXT_NAMES))
        flaws.append(_flaw("expression_unknown_name", f"at column 1 or later: known are {known}."))
    if not (_OPERATORS | FUNCTIONS | METHODS).issuperset(program.functions()):
        known = ", ".join(sorted(FUNCTIONS | METHODS))
        flaws.append(_flaw("expression_unknown_function", f"at column 1 or later: known are {known}."))
    return tuple(flaws)


def _literals(reading: Reading) -> tuple[float | str, ...]:
    values = (cel.evaluate(text) for text in dict.fromkeys(reading.literals))
    return tuple(value for value in values if isinstance(value, int | float | str))
