"""The slices of a round: each measures one thing for so many seconds, and says its rate and what else it found."""

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import uvloop

from benchmarks.bodies import Source
from benchmarks.floor import copy_entries, read_entries
from benchmarks.folding import fold_book
from benchmarks.peer_appends import PEERS, Peer
from benchmarks.subjects import BATCH, BATCH_CONNECTIONS, Subject, World
from tests.servers import ROOT, environment

Slice = dict[str, Any]
Measure = Callable[[World, float], Slice]


def requests(of: Callable[[World], Subject], what: str, connections: int) -> Measure:
    """Requests to a subject, from so many connections."""
    return lambda world, seconds: world.load(of(world), what, connections, seconds=seconds)


def batches(of: Callable[[World], Subject]) -> Measure:
    """Batches over HTTP; the rate is of entries."""

    def measure(world: World, seconds: float) -> Slice:
        how: dict[str, Any] = {"warmup": 0, "seconds": seconds, "to_the_last": True}
        found = world.load(of(world), "batch", BATCH_CONNECTIONS, **how)
        each = {name: found[name] / BATCH for name in ("own_us", "server_us", "database_us")}
        return {**found, **each, "rate": found["rate"] * BATCH}

    return measure


def copies(world: World, seconds: float) -> Slice:
    """COPY of entries into a table that holds as many as the measured book did at first."""
    written, took = uvloop.run(copy_entries(world.copied, world.rows, book=world.new_run(), seconds=seconds))
    return {"rate": written / took}


def imports(world: World, _seconds: float) -> Slice:
    """`goodwill import` of a file, its start and end included; `start_seconds` is that of a file without a row."""
    start, took, rows = _import(world, 0), _import(world, world.import_rows), world.import_rows
    return {"rate": rows / took, "rate_without_start": rows / (took - start), "start_seconds": start}


def reads(world: World, _seconds: float) -> Slice:
    """All columns of the book's entries, not folded."""
    count, took = uvloop.run(read_entries(world.book.url, world.book.name))
    return {"rate": count / took}


def folds(world: World, _seconds: float) -> Slice:
    """The fold of a rebuild over the same book, nothing written."""
    count, took = uvloop.run(fold_book(world.book.url, world.book.name))
    return {"rate": count / took}


def peer(which: Peer) -> Measure:
    """A peer's appends, with the best of its settings: tried out the first time, and again in no round."""

    def measure(world: World, seconds: float) -> Slice:
        url = world.database(which.name)
        if which.name not in world.best_at_once:
            tried = {at_once: which.append(url, seconds, at_once)["rate"] for at_once in which.at_once}
            world.best_at_once[which.name] = max(tried, key=lambda at_once: tried[at_once])
        return which.append(url, seconds, world.best_at_once[which.name])

    return measure


def memory(world: World, postings: int, seconds: float) -> Slice:
    """The resident memory of a server after so many postings in all, in megabytes, read at each quarter of them.

    They are posted in batches; when the seconds are over, with as many as there are then.
    """
    (server,) = world.ours.servers
    posted, readings = 0, {"0": server.megabytes}
    for quarter in (1, 2, 3, 4):
        if (missing := postings * quarter // 4 - posted) > 0:
            own: dict[str, Any] = {"seconds": seconds / 4, "answers": -(-missing // BATCH)}
            posted += world.load(world.ours, "batch", BATCH_CONNECTIONS, warmup=0, **own)["all_answers"] * BATCH
            readings[str(posted)] = server.megabytes
    return {"megabytes": server.megabytes, "postings": posted, "after": readings}


SLICES: dict[str, Measure] = {
    "floor_post_64": requests(lambda world: world.floor, "post", 64),
    "post_64": requests(lambda world: world.ours, "post", 64),
    "post_64_sqlite": requests(lambda world: world.sqlite, "post", 64),
    "post_2_processes": requests(lambda world: world.both, "post", 64),
    "post_256": requests(lambda world: world.ours, "post", 256),
    "floor_post_1": requests(lambda world: world.floor, "post", 1),
    "post_1": requests(lambda world: world.ours, "post", 1),
    "floor_get_64": requests(lambda world: world.floor, "balance", 64),
    "get_balance_64": requests(lambda world: world.ours, "balance", 64),
    "copy_1000": copies,
    "batch_1000": batches(lambda world: world.ours),
    "import": imports,
    "read_entries": reads,
    "fold": folds,
    **{each.name: peer(each) for each in PEERS},
}

UNWALLED: dict[str, Measure] = {  # the same past the wall between the books, for those who ask what it costs
    "post_64_unwalled": requests(lambda world: world.unwalled, "post", 64),
    "post_1_unwalled": requests(lambda world: world.unwalled, "post", 1),
    "get_balance_1": requests(lambda world: world.ours, "balance", 1),
    "get_balance_1_unwalled": requests(lambda world: world.unwalled, "balance", 1),
    "get_balance_64_unwalled": requests(lambda world: world.unwalled, "balance", 64),
    "batch_1000_unwalled": batches(lambda world: world.unwalled),
}

COLD = {"import", "read_entries", "fold", *(each.name for each in PEERS)}  # each time begun anew: no use to warm them


def _import(world: World, rows: int) -> float:
    """Import a file of so many rows; the seconds it took."""
    book, path = world.book, world.folder / "import.ndjson"
    source = Source(what="post", token=book.token, run=world.new_run(), seed=world.seed, customers=world.customers)
    path.write_bytes(b"".join(body + b"\n" for body in islice(source.interactions(), rows)))
    command = [sys.executable, "-m", "app", "import", str(path), "--book", book.name, "--source", "crm"]
    command += ["--rejects", f"{path}.rejects"]
    own, begun = environment(book.settings), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"the import fails:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - begun
