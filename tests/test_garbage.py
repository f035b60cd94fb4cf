"""Memory that nobody needs any more goes back to the system."""

import subprocess
import sys

from tests.servers import ROOT

ALLOCATING = """
import ctypes, sys
from app.garbage import LARGE_BYTES, give_large_back

class Mallinfo2(ctypes.Structure):  # mallinfo(3)
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks rest".split()] + [
        (f"rest{n}", ctypes.c_size_t) for n in range(5)
    ]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2
if sys.argv[1] == "back":
    give_large_back()
before = mallinfo2().hblks
block = bytes(LARGE_BYTES + 1)
print(mallinfo2().hblks - before)
del block
print(mallinfo2().hblks - before)
"""


def test_a_large_block_is_the_systems_own_and_goes_back_at_once() -> None:
    assert blocks_of_the_system("kept") == ["0", "0"]
    assert blocks_of_the_system("back") == ["1", "0"]


def blocks_of_the_system(what: str) -> list[str]:
    """How many more there are with a large block, and once that is gone; in a process of its own."""
    command = [sys.executable, "-c", ALLOCATING, what]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
