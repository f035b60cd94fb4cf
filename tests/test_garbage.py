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
blocks = [bytes(LARGE_BYTES + 1) for _ in range(100)]  # of which some find room in what is free already
print(mallinfo2().hblks - before > 50)
blocks.clear()
print(mallinfo2().hblks - before)
"""

TRIMMING = """
import asyncio
from pathlib import Path
from app import garbage

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 10**6

async def main():
    garbage.TRIM_SECONDS = 0.01
    blocks = [bytes(5_000) for _ in range(20_000)]
    full = megabytes()
    blocks = blocks[::100]
    free = megabytes()
    async with garbage.giving_small_back():
        await asyncio.sleep(0.5)
    print(full - free, free - megabytes())

asyncio.run(main())
"""


def test_what_is_free_among_small_blocks_goes_back_after_a_while() -> None:
    by_itself, later = map(int, said_by(TRIMMING))

    assert by_itself < 10
    assert later > 80  # of 100


def test_large_blocks_are_the_systems_own_and_go_back_at_once() -> None:
    assert blocks_of_the_system("kept") == ["False", "0"]
    assert blocks_of_the_system("back") == ["True", "0"]


def blocks_of_the_system(what: str) -> list[str]:
    """Whether there are more of them with many large blocks; how many there are left once these are gone."""
    return said_by(ALLOCATING, what)


def said_by(program: str, *arguments: str) -> list[str]:
    """The words that a process of its own prints."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
