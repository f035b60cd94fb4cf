"""Asks OSV, the open database of vulnerabilities, about every version that the lock files name.

    python -m tests.audit [--strict]

A known vulnerability ends it with 1. Where the service cannot be asked it says so, and ends with 0: a machine without
that network can do nothing about it; with `--strict` it ends with 2.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import httpx

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")
SERVICE = "https://api.osv.dev"
AT_ONCE = 500  # of 1,000 that it takes
TIMEOUT_SECONDS = 10.0

ACCEPTED: dict[str, str] = {}
"""Vulnerabilities that do not touch us, by their id, and why."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class Pinned(NamedTuple):
    """A package and its version, as they are locked."""

    name: str
    version: str


class NotAsked(Exception):
    """The service gave no answer, or none that can be understood."""


def locked(texts: Iterable[str]) -> list[Pinned]:
    """All that lock files name, each once."""
    return sorted({Pinned(*found) for text in texts for found in _PINNED.findall(text)})


def known(pinned: list[Pinned], service: str) -> dict[Pinned, list[str]]:
    """The ids of the vulnerabilities that are known of each, those accepted aside. Raises NotAsked."""
    found: dict[Pinned, list[str]] = {}
    with httpx.Client(base_url=service, timeout=TIMEOUT_SECONDS) as client:
        for begin in range(0, len(pinned), AT_ONCE):
            some = pinned[begin : begin + AT_ONCE]
            for each, ids in zip(some, _asked(client, some), strict=True):
                if set(ids) - ACCEPTED.keys():
                    found[each] = sorted(set(ids) - ACCEPTED.keys())
    return found


def _asked(client: httpx.Client, pinned: list[Pinned]) -> list[list[str]]:
    queries = [{"package": {"ecosystem": "PyPI", "name": name}, "version": version} for name, version in pinned]
    try:
        answer = client.post("/v1/querybatch", json={"queries": queries})
        answer.raise_for_status()
        results = answer.json()["results"]
        ids = [[vulnerability["id"] for vulnerability in each.get("vulns", [])] for each in results]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAsked(f"{type(error).__name__}: {error}") from error
    unfinished = sum("next_page_token" in each and not found for each, found in zip(results, ids, strict=True))
    if len(ids) - unfinished != len(pinned):
        raise NotAsked(f"{len(ids) - unfinished} answers to {len(pinned)} questions")
    return ids


def main(arguments: list[str]) -> int:
    """Audit the lock files; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail where the service cannot be asked")
    parser.add_argument("--service", default=SERVICE)
    parser.add_argument("--folder", type=Path, default=ROOT)
    given = parser.parse_args(arguments)
    pinned = locked((given.folder / name).read_text() for name in LOCKS)
    try:
        found = known(pinned, given.service)
    except NotAsked as why:
        print(f"NOT AUDITED: {len(pinned)} locked packages; {given.service} cannot be asked ({why})")
        return 2 if given.strict else 0
    for (name, version), ids in found.items():
        print(f"{name} {version} is vulnerable: {', '.join(ids)}")
    print(f"{len(pinned)} locked packages audited, {len(found)} vulnerable")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
