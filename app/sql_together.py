"""Several statements as one, for PostgreSQL: one round trip."""

import re
from functools import lru_cache

_NUMBER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=256)
def renumbered(text: str, by: int) -> str:
    """The statement with its arguments after so many others."""
    return _NUMBER.sub(lambda number: f"${int(number[1]) + by}", text)


@lru_cache(maxsize=256)
def together(texts: tuple[str, ...]) -> str:
    """The statements as one; the last must be an UPDATE or an INSERT, as all of them are."""
    *first, last = texts
    return f"WITH {', '.join(f'w{n} AS ({text})' for n, text in enumerate(first))} {last}" if first else last


@lru_cache(maxsize=256)
def side_by_side(texts: tuple[str, ...]) -> str:
    """The statements' rows as arrays of one row."""
    return f"SELECT {', '.join(f'ARRAY(SELECT r FROM ({text}) r)' for text in texts)}"  # noqa: S608 - of our own statements
