"""A CEL expression over `row`: compiled and checked once, evaluated for each row."""

from collections.abc import Iterator

from app.domain.cel_alone import cel
from app.domain.expression import EXPRESSION_LENGTH_MAX, Expression
from app.domain.expression_syntax import (
    FUNCTIONS,
    MACROS,
    METHODS,
    Token,
    place_of,
    size_flaw,
    tokens_of,
)

ROW = "row"
# Beyond the tariff's: a mapping is its operator's own, and rows hold dates and codes to be taken apart.
KNOWN_FUNCTIONS = FUNCTIONS | METHODS | {"bool", "duration", "matches", "timestamp"}


class InvalidExpression(ValueError):
    """An expression that no row can be read with; the message says where and why."""


def compile_row_expression(source: str) -> Expression:
    """The expression, ready to evaluate over {"row": …}. Raises InvalidExpression."""
    if len(source) > EXPRESSION_LENGTH_MAX:
        raise InvalidExpression(f"the expression has more than {EXPRESSION_LENGTH_MAX} characters.")
    tokens = tokens_of(source)
    if (flaw := size_flaw(tokens)) is not None:
        raise InvalidExpression(flaw.detail)
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise InvalidExpression(f"the expression is no valid CEL: {_first_line(error)}.") from None
    _refuse_unknown(source, tokens, program)
    return Expression(source=source, attributes=(), context=(), literals=(), program=program)


def columns_of(expression: Expression) -> frozenset[str]:
    """The columns that the expression names; those it asks for by `has` may be absent, and are left out."""
    tokens = tokens_of(expression.source)
    named = list(_named_columns(tokens))
    optional = {column for column, is_asked_for in named if is_asked_for}
    return frozenset(column for column, _ in named if column not in optional)


def _named_columns(tokens: tuple[Token, ...]) -> Iterator[tuple[str, bool]]:
    """Each `row.NAME` and `row["NAME"]`, and whether it stands in `has(…)`."""
    texts = [token.text for token in tokens]
    for place, text in enumerate(texts):
        if text != ROW or (place > 0 and texts[place - 1] == "."):
            continue
        is_asked_for = texts[max(0, place - 2) : place] == ["has", "("]
        following = texts[place + 1 : place + 4]
        if len(following) >= 2 and following[0] == "." and following[1].isidentifier():
            yield following[1], is_asked_for
        elif len(following) == 3 and following[0] == "[" and following[1][0] in "\"'" and following[2] == "]":
            yield following[1][1:-1], is_asked_for


def _refuse_unknown(source: str, tokens: tuple[Token, ...], program: cel.Program) -> None:
    bound = {tokens[place + 2].text for place, token in enumerate(tokens[:-2]) if token.text in MACROS}
    for name in sorted(set(program.variables()) - bound - {ROW}):
        raise InvalidExpression(
            f"at {_place(source, tokens, name)}: {name} is no name here; a column is row.{name}, "
            f'a text that is always the same is {{ constant = "{name}" }}.'
        )
    # Operators are reported too, under names such as _+_ that are no identifiers.
    called = {name for name in program.functions() if name.isidentifier()}
    for name in sorted(called - KNOWN_FUNCTIONS):
        known = ", ".join(sorted(KNOWN_FUNCTIONS | MACROS))
        raise InvalidExpression(f"at {_place(source, tokens, name)}: {name} is no function here; known are {known}.")


def _place(source: str, tokens: tuple[Token, ...], name: str) -> str:
    return place_of(source, next((token.start for token in tokens if token.text == name), 0))


def _first_line(error: ValueError) -> str:
    found = str(error).partition("ERROR: <input>:")[2].splitlines()
    if not found:
        return "it cannot be read"
    line, column, reason = found[0].split(":", 2)
    return f"line {line}, column {column}:{reason}"
