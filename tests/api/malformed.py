"""Bodies that no endpoint may take: each is a good one with one thing made wrong, by a seeded chance."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

MARK = '"@here@"'
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An endpoint, a good body with a mark where a field is to be spoiled, and what spoils each field's type."""

    method: str
    path: str
    good: dict[str, Any]
    texts: tuple[str, ...] = ()
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    wrap: str = "%s"
    media_type: str = JSON_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that is to be refused."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


# Wrong as the value of any field, whatever its type.
NOWHERE_GOOD = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e999", "9007199254740993", "-9007199254740992", "9" * 400),
    *('"\\ud800"', '"a\\udc00b"', '"\\udfff\\ud800"', '"\\u0000"', '"a\\u0000b"', '"\x00"', '"\x1f"', '"\n"'),
    *("[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40, '{"a":1,"a":2}', '{"\\ud800":1}', '{"\\u0000":1}'),
    *("01", "+1", ".5", "1.", "0x10", "'x'", "tru", "None", "undefined", '"\\x"', '"open', "[1,]", '{"a":1,}', "//c"),
)
NO_TEXT = ("1", "true", "[]", "{}", "1.5", '["x"]', '""', '"' + "x" * 5000 + '"')
NO_NOTE = tuple(value for value in NO_TEXT if value != '""')
NO_TIME = ("1", "true", "[]", '""', '"now"', '"2026-05-20"', '"2026-05-20T10:00:00"', '"2026-13-20T10:00:00Z"')
NO_OBJECT = ("1", "true", "[]", '"x"', "1.5", "[{}]", '{"a":"' + "x" * 9000 + '"}')
NO_LIST = ("1", "true", '"x"', "{}", "[]", "[1]", "[null]", "[[]]", '["x",1]')
NO_NUMBER = ("true", "[]", "{}", '"1"', '""', "1e13", "-1e13")
NO_SEED = ("true", "[]", "{}", '"1"', "1.5", "-1", "1e13")
NO_WHOLE_NUMBER = ("true", "[]", "{}", '"1"', "1.5", "1e-3")

INTERACTION = {"id": "m", "customer": "ada", "kind": "apology.first"}
INTERACTION_TEXTS = ("customer", "kind", "id", "source", "channel", "settles", "promise", "actor", "motive")
INTERACTION_OTHERS = {
    "note": NO_NOTE,
    "value_at": NO_TIME,
    "attributes": NO_OBJECT,
    "cost": NO_NUMBER,
    "points": NO_WHOLE_NUMBER,
}
PROMISE = {"id": "m", "customer": "ada", "kind": "promise.broken", "due_at": "2026-06-20T10:00:00Z"}
PROMISE_OTHERS = {"due_at": NO_TIME, "value_at": NO_TIME, "attributes": NO_OBJECT, "steps": NO_LIST, "grace": NO_TEXT}
POSTING: dict[str, Any] = {"good": INTERACTION, "texts": INTERACTION_TEXTS, "others": INTERACTION_OTHERS}
REVERSAL: dict[str, Any] = {"texts": ("reason", "id", "source"), "others": {"replacement": NO_OBJECT}}


def targets(entry_id: str) -> list[Target]:
    """Every endpoint that reads a body."""
    named = {"interaction": {"id": "1"}, "reason": "x"}
    batch = "/v1/interactions/batch"
    return [
        Target(method="POST", path="/v1/interactions", **POSTING),
        Target(method="POST", path=batch, **POSTING, wrap='{"interactions":[%s]}'),
        Target(method="POST", path=batch, **POSTING, media_type="application/x-ndjson"),
        Target(method="POST", path=f"/v1/entries/{entry_id}/reversal", good={"reason": "x"}, **REVERSAL),
        Target(method="POST", path="/v1/interactions/reversal", good=named, **REVERSAL),
        Target(
            method="PATCH", path="/v1/customers/ada", good={}, texts=("segment",), others={"value": ("-1", *NO_NUMBER)}
        ),
        Target(method="PUT", path="/v1/policy", good={}, others={"half_lives": NO_OBJECT, "thresholds": NO_OBJECT}),
        Target(
            method="POST", path="/v1/policy/preview", good={"policy": {}}, others={"policy": NO_OBJECT, "seed": NO_SEED}
        ),
        Target(method="PUT", path="/v1/tariff", good={}, others={"name": NO_TEXT, "kinds": NO_LIST}),
        Target(
            method="POST",
            path="/v1/tariff/valuations",
            good={"interactions": [{"kind": "apology.first"}]},
            others={"interactions": NO_LIST, "tariff": NO_OBJECT},
        ),
        Target(method="POST", path="/v1/promises", good=PROMISE, texts=("id", "source", "kind"), others=PROMISE_OTHERS),
        Target(method="POST", path="/v1/promises/p/kept", good={}, texts=("source",), others={"value_at": NO_TIME}),
        Target(method="POST", path="/v1/customers/lookup", good={"customers": ["ada"]}, others={"customers": NO_LIST}),
    ]


def malformed(entry_id: str, count: int, *, seed: int) -> Iterator[Sent]:
    """So many requests, every way of being wrong on every endpoint in turn."""
    random, endpoints = Random(seed), targets(entry_id)
    for number in range(count):
        target = endpoints[number % len(endpoints)]
        spoil = random.choices(WAYS, WEIGHTS)[0]
        body, headers = spoil(target, random)
        yield Sent(
            method=target.method,
            path=target.path,
            body=body,
            headers={"content-type": target.media_type, "if-match": "*", **headers},
        )


Spoilt = tuple[bytes, dict[str, str]]


def spoilt_value(target: Target, random: Random) -> Spoilt:
    name = random.choice([*target.texts, *target.others])
    values = (*NOWHERE_GOOD, *(target.others.get(name) or NO_TEXT))
    return written(target, {**target.good, name: "@here@"}).replace(MARK, random.choice(values)).encode(), {}


def spoilt_name(target: Target, random: Random) -> Spoilt:
    name = random.choice(["x", "", "__proto__", "x" * 300, "id\\u0000", "\\ud800", "é", "a/b~c", "ID", " id"])
    return written(target, {"@here@": 1, **target.good}).replace(MARK, f'"{name}"').encode(), {}


def twice(target: Target, random: Random) -> Spoilt:
    return written(target, target.good).replace("{", '{"id":"a","id":"a",', 1).encode(), {}


def cut_off(target: Target, random: Random) -> Spoilt:
    body = good_bytes(target)
    return body[: random.randrange(len(body))], {}


def with_more(target: Target, random: Random) -> Spoilt:
    return good_bytes(target) + random.choice([b"x", b"{}", b",", b"\0", b"]", b"}", b"\xff", b"/**/", b'""']), {}


def with_bad_bytes(target: Target, random: Random) -> Spoilt:
    body = good_bytes(target)
    place = random.randrange(len(body))
    wrong = random.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\0", b"\x1b"])
    return body[:place] + wrong + body[place:], {}


def of_another_shape(target: Target, random: Random) -> Spoilt:
    shapes = [b"", b"[]", b'"x"', b"1", b"null", b"true", b"-0.0", b"[{}]", b" ", b"\n\n", b'""', b"[" * 100_000]
    return random.choice([*shapes, b'{"a":' * 100_000, b"[" * 50_000 + b"]" * 50_000, b"{" + b"}" * 9]), {}


def in_another_encoding(target: Target, random: Random) -> Spoilt:
    text = written(target, {**target.good, "é": 1})
    return text.encode(random.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-7", "utf-8-sig"])), {}


def of_another_type(target: Target, random: Random) -> Spoilt:
    types = [
        "text/plain",
        "",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ]
    charsets = [f"{target.media_type}; charset={name}" for name in ("latin-1", "utf-16", "utf-7", "x", "''", "*")]
    return good_bytes(target), {"content-type": random.choice([*types, *charsets])}


def compressed(target: Target, random: Random) -> Spoilt:
    body = gzip.compress(good_bytes(target))
    declared: dict[str, str] = random.choice([{}, {"content-encoding": "gzip"}, {"content-encoding": "br, gzip"}])
    return body[: random.choice([len(body), len(body) // 2, 1])], declared


def written(target: Target, value: dict[str, Any]) -> str:
    return target.wrap % json.dumps(value, ensure_ascii=False)


def good_bytes(target: Target) -> bytes:
    # PATCH takes an empty object, and a tariff's own reader refuses one: neither matters to what is spoilt here.
    return written(target, target.good or {"value": 1}).encode()


WAYS = (
    *(spoilt_value, spoilt_name, twice, cut_off, with_more, with_bad_bytes),
    *(of_another_shape, in_another_encoding, of_another_type, compressed),
)
WEIGHTS = (12, 2, 1, 2, 2, 2, 1, 1, 1, 1)
