"""Appends of single events by `eventsourcing`, in process: run by the interpreter that has it, without this project.

    python eventsourcing_appends.py HOST PORT DATABASE SECONDS THREADS

Through its application recorder, which keeps versions of streams and a total order, as an application of it does. Each
thread has streams of its own, whose versions it knows, so that no append has to read.
"""

import json
import sys
import threading
import time
import uuid

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresFactory

STREAMS = 2_000
WARMUP_SECONDS = 0.3
STATE = json.dumps(
    {
        "id": "0001-00000001",
        "customer": "customer-000001@example.com",
        "kind": "delivery.late",
        "attributes": {"days_late": 2},
        "channel": "web",
    }
).encode()


def main() -> None:
    """Append from so many threads for so long; print how many appends were acknowledged."""
    host, port, database, seconds, threads = sys.argv[1:]
    environment = {
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": port,
        "POSTGRES_DBNAME": database,
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "",
        "POSTGRES_POOL_SIZE": threads,
        "POSTGRES_MAX_OVERFLOW": "0",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    }
    with PostgresFactory(environment) as factory:
        recorder = factory.application_recorder()
        begin = time.perf_counter() + WARMUP_SECONDS
        counts = [0] * int(threads)

        def append(own: int) -> None:
            streams = [[uuid.uuid4(), 0] for _ in range(STREAMS // int(threads))]
            number = 0
            while (now := time.perf_counter()) < begin + float(seconds):
                stream = streams[number % len(streams)]
                stream[1] += 1
                recorder.insert_events([StoredEvent(stream[0], stream[1], "bench:Posted", STATE)])
                number += 1
                counts[own] += now >= begin

        workers = [threading.Thread(target=append, args=(own,)) for own in range(int(threads))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.perf_counter() - begin
    print(json.dumps({"answers": sum(counts), "seconds": took}))


if __name__ == "__main__":
    main()
