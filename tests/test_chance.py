"""Random bytes that come by the kilobyte: never the same ones twice."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.chance import chance

DRAWS = 2_000
FORKED = """
import os
from app.chance import chance
chance(16)  # so that there is something left that both might take
child = os.fork()
drawn = [chance(16).hex() for _ in range(100)]
if child:
    os.waitpid(child, 0)  # one after the other, so that what they say is not mixed
print(*drawn, flush=True)
"""


@pytest.mark.parametrize("size", [1, 12, 64, 4095, 4096, 5000])
def test_there_are_as_many_as_were_asked_for(size: int) -> None:
    assert [len(chance(size)) for _ in range(5)] == [size] * 5


def test_threads_draw_no_bytes_of_each_other() -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(chance, [16] * DRAWS))
    assert {len(each) for each in drawn} == {16}
    assert len(set(drawn)) == DRAWS


def test_a_process_that_is_forked_draws_others_than_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=60)
    assert len(set(done.stdout.split())) == 200
