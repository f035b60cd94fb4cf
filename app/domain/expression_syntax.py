"""Which names a CEL expression uses, and where: what the CEL library does not tell.

The library lists names bound by a macro (the x of `exists(x, …)`) among the variables, and no member access at all.
This reader knows brackets, calls and member access, not precedence: it finds names, the library judges the syntax.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

CONTEXT_NAMES = ("channel", "touchpoint", "motive", "source")
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
METHODS = frozenset({"size", "contains", "startsWith", "endsWith"})
# Left out on purpose: `matches` compiles its pattern at every evaluation (40 ms for `\pL{200}`); times and durations,
# bytes, type and dyn have no use where attributes are numbers, strings and booleans.
FUNCTIONS = frozenset({"size", "int", "uint", "double", "string", "has"})

# The library parses and evaluates by recursion on the C stack, and a thread of 256 KiB dies of 50 brackets or 500
# operators: a crash, no exception. These limits leave room by half.
DEPTH_MAX = 16
TOKENS_MAX = 500
# A loop repeats its body for each element, and `x + x + …` grows: long ones hold a processor for minutes.
LOOP_LENGTH_MAX = 200

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>
        [bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
        |[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?)
    |(?P<mark>in\b|&&|\|\||[<>=!]=)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that keeps an expression out of a tariff; `detail` says where, and never quotes it."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of an expression and the offset of its first character."""

    group: str
    text: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an expression uses: `attributes.NAME`s with their places, context, bound names, literals as written."""

    attributes: tuple[tuple[str, str], ...]
    context: tuple[str, ...]
    bound: frozenset[str]
    literals: tuple[str, ...]
    flaws: tuple[Flaw, ...]


def tokens_of(source: str) -> tuple[Token, ...]:
    """The expression in pieces, blanks and comments left out. Any text can be cut; a stray character is a piece."""
    return tuple(_cut(source))


def size_flaw(tokens: tuple[Token, ...]) -> Flaw | None:
    """Why an expression may not even be compiled: checked first, since the compiler's own end would be a crash."""
    if len(tokens) > TOKENS_MAX:
        return Flaw(code="expression_too_large", detail=f"the expression has more than {TOKENS_MAX} parts.")
    depth = deepest = 0
    for token in tokens:
        depth += (token.text in _CLOSING) - (token.text in _CLOSING.values())
        deepest = max(deepest, depth)
    if deepest > DEPTH_MAX:
        return Flaw(code="expression_too_nested", detail=f"brackets are nested more than {DEPTH_MAX} deep.")
    return None


def read_names(source: str, tokens: tuple[Token, ...]) -> Reading:
    """The names that an expression uses. It must have passed `size_flaw` and have been compiled."""
    reader = _Reader(source, tokens)
    reader.until("", frozenset())
    return Reading(
        attributes=tuple(reader.attributes),
        context=tuple(name for name in CONTEXT_NAMES if name in reader.context),
        bound=frozenset(reader.bound),
        literals=tuple(reader.literals),
        flaws=tuple(reader.flaws),
    )


def place_of(source: str, offset: int) -> str:
    """A place in words: the column from 1, with the line only where there are several."""
    line = source.count("\n", 0, offset) + 1
    column = offset - (source.rfind("\n", 0, offset) + 1) + 1
    return place_in_words(line, column, several="\n" in source)


def place_in_words(line: int, column: int, *, several: bool) -> str:
    """`column 7`, or `line 2, column 7` in an expression of several lines."""
    return f"line {line}, column {column}" if several else f"column {column}"


def _cut(source: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(source):
        group = match.lastgroup or "other"
        if group != "space":
            yield Token(group=group, text=match.group(), start=match.start())


class _Reader:
    """A walk over the tokens. Each walking method says whether a loop (a macro over elements) lay on its way."""

    def __init__(self, source: str, tokens: tuple[Token, ...]) -> None:
        self.attributes: list[tuple[str, str]] = []
        self.context: set[str] = set()
        self.bound: set[str] = set()
        self.literals: list[str] = []
        self.flaws: list[Flaw] = []
        self._source = source
        self._tokens = tokens
        self._next = 0

    def until(self, closing: str, bound: frozenset[str]) -> bool:
        """Walks up to and over a closing bracket, or to the end."""
        looped = False
        while (token := self._take()) is not None and token.text != closing:
            looped |= self._operand(token, bound)
        return looped

    def _operand(self, token: Token, bound: frozenset[str]) -> bool:
        looped = False
        if token.group in {"string", "number"}:
            self.literals.append(token.text)
        elif token.text in _CLOSING:
            looped = self.until(_CLOSING[token.text], bound)
        elif token.group == "name":
            looped = self._named(token, bound)
        else:
            return False
        return self._members(looped, bound)

    def _named(self, token: Token, bound: frozenset[str]) -> bool:
        if self._peek() == "(":
            return self._call(token, FUNCTIONS, bound)
        if token.text == "attributes":
            self._attribute(token)
        elif token.text in CONTEXT_NAMES:
            self.context.add(token.text)
        elif token.text == "null":
            self._flaw("expression_uses_null", token, 'null is never met here: absent context is "", text.')
        elif token.text not in bound | {"true", "false"}:
            self._flaw("expression_unknown_name", token, f"known are attributes, {', '.join(CONTEXT_NAMES)}.")
        return False

    def _attribute(self, token: Token) -> None:
        name = self._peek(1)
        if self._peek() == "." and name.isidentifier() and self._peek(2) != "(":
            self._next += 2
        elif self._peek() == "[" and name[:1] in {'"', "'"} and name[1:-1].isidentifier() and self._peek(2) == "]":
            self._next += 3
            name = name[1:-1]
        else:
            self._flaw("expression_uses_all_attributes", token, "name one attribute: attributes.NAME.")
            return
        self.attributes.append((name, place_of(self._source, token.start)))

    def _members(self, looped: bool, bound: frozenset[str]) -> bool:
        while self._peek() in {".", "["}:
            opening = self._take()
            name = self._take() if opening is not None and opening.text == "." else None
            if name is None:
                looped |= self.until("]", bound)
            elif self._peek() == "(":
                looped = self._loop(name, looped, bound) if name.text in MACROS else self._method(name, looped, bound)
        return looped

    def _method(self, name: Token, looped: bool, bound: frozenset[str]) -> bool:
        return self._call(name, METHODS, bound) or looped

    def _loop(self, name: Token, looped: bool, bound: frozenset[str]) -> bool:
        variable = self._peek(1)
        self.bound.add(variable)
        self._next += 1
        if variable in {"attributes", *CONTEXT_NAMES}:
            self._flaw("expression_rebinds_name", name, "a loop may not reuse a name of the context.")
        if self.until(")", bound | {variable}) or looped:
            self._flaw("expression_nested_loop", name, "a loop may not stand inside or behind another.")
        if len(self._source) > LOOP_LENGTH_MAX:
            self._flaw("expression_too_long", name, f"with a loop it has at most {LOOP_LENGTH_MAX} characters.")
        return True

    def _call(self, name: Token, known: frozenset[str], bound: frozenset[str]) -> bool:
        if name.text not in known:
            self._flaw("expression_unknown_function", name, f"known are {', '.join(sorted(known | MACROS))}.")
        self._next += 1
        return self.until(")", bound)

    def _flaw(self, code: str, token: Token, why: str) -> None:
        self.flaws.append(Flaw(code=code, detail=f"at {place_of(self._source, token.start)}: {why}"))

    def _take(self) -> Token | None:
        self._next += 1
        return self._tokens[self._next - 1] if self._next <= len(self._tokens) else None

    def _peek(self, ahead: int = 0) -> str:
        place = self._next + ahead
        return self._tokens[place].text if place < len(self._tokens) else ""
