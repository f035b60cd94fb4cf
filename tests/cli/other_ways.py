"""JSON of files in other ways: what looks the same or nearly so, and is to be refused by every program or by none."""

import json
import re
from typing import Any

from app.domain.handed_over import DEPTH_MAX

DEEP = "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)


def written(text: str) -> dict[str, str | bytes]:
    """Another text of the same or nearly the same values, of a file of any kind."""
    whole = text.encode()
    return {
        "a mark of the byte order": b"\xef\xbb\xbf" + whole,
        "in UTF-16": text.encode("utf-16"),
        "a byte that is no UTF-8": whole.replace(b"crm", b"cr\xff").replace(b'"book":"', b'"book":"\xff'),
        "a surrogate in UTF-8": whole.replace(b'"book":"', b'"book":"\xed\xa0\x80'),
        "more behind": text.rstrip("\n") + " x\n",
        "nothing": "",
        "a line feed": "\n",
        "null": "null",
        "a list": "[]",
        "a text": '"x"',
        "a number": "7",
        "deep brackets": "[" * 100_000,
        "deep objects": '{"a":' * 100_000,
        "a fraction beside it": text.replace("{", '{"x": 1.5, ', 1),
        "an exponent beside it": text.replace("{", '{"x": 1e0, ', 1),
        "a fraction that another value hides": text.replace("{", '{"x": 1.0, "x": 1, ', 1),
        "no number beside it": text.replace("{", '{"x": NaN, ', 1),
        "a large number beside it": text.replace("{", '{"x": 9007199254740992, ', 1),
        "a huge number beside it": text.replace("{", '{"x": ' + "9" * 10_000 + ", ", 1),
        "lists in lists beside it": text.replace("{", '{"x": ' + DEEP + ", ", 1),
        "a book that has no bytes": text.replace('"book":"', '"book":"\\ud800', 1),
    }


def harmless(text: str) -> dict[str, str]:
    """Another text that says the same."""
    return {
        "as it is": text,
        "its end is gone": text.rstrip("\n"),
        "lines of another system": text.replace("\n", "\r\n"),
        "spaces around it": text.replace("{", " { \t", 1),
        "texts that look like more": text.replace("{", '{"x": "1.5 [[' + "[" * 40 + ' \\" 1e9", ', 1),
        "a name twice": text.replace("{", '{"book": 7, ', 1),
        "ascii alone": "\n".join(json.dumps(json.loads(line)) if line else "" for line in text.split("\n")),
    }


def otherwise(value: int | str) -> dict[str, str]:
    """A value in JSON in other ways; of a hash or a number."""
    if isinstance(value, int):
        texts = [
            f"{value}.0",
            f"{value}e0",
            f'"{value}"',
            "true",
            "null",
            f"0{value}",
            f"+{value}",
            f"[{value}]",
            "2.5",
        ]
        return {f"written {text}": text for text in texts}
    texts = [
        *(value.upper(), f" {value}", f"{value} ", f"{value[:2]} {value[2:]}", f"{value}zz", f"{value}00"),
        *(value[:-2], f"{value[:-2]}zz", f"0x{value[2:]}", value.replace(value[0], "\u0663"), ""),
    ]
    return {f"written {text!r}": json.dumps(text) for text in texts} | {"a list of it": f'["{value}"]', "null": "null"}


def with_raw(line: str, name: str, text: str) -> str:
    """The line of JSON with other text in the place of the value of that field."""
    value = re.escape(compact(json.loads(line)[name]))
    changed, count = re.subn(rf'"{name}": ?{value}', lambda _: f'"{name}":{text}', line)
    assert count == 1, (line, name)
    return changed


def each_written(line: str, *names: str) -> dict[str, str]:
    """The line with each of these fields written in other ways."""
    shown = json.loads(line)
    ways = {
        f"{name} {way}": with_raw(line, name, text) for name in names for way, text in otherwise(shown[name]).items()
    }
    without = {f"no {name}": compact({key: each for key, each in shown.items() if key != name}) for name in shown}
    return {**ways, **without}


def compact(value: Any) -> str:
    """JSON as the service writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
