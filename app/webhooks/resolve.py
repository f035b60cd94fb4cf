"""From names to addresses, by the system's resolver."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

RESOLVING_MAX = 32


class SystemResolver:
    """Asks the system, which may take half a minute and cannot be stopped: so in threads of its own, and who asks for
    a name that is being asked for shares the answer. A name whose servers are slow delays itself alone."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_MAX, thread_name_prefix="resolve")
        self._asked: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, name: str) -> Sequence[str]:
        """All addresses of the name, as text, best first (RFC 6724). Raises OSError if it has none."""
        if name not in self._asked:
            self._asked[name] = asyncio.get_running_loop().run_in_executor(self._threads, _addresses_of, name)
            self._asked[name].add_done_callback(lambda answer: self._forget(name, answer))
        return await asyncio.shield(self._asked[name])

    def _forget(self, name: str, answer: "asyncio.Future[list[str]]") -> None:
        del self._asked[name]
        if not answer.cancelled():
            answer.exception()  # whoever asked may have gone; then nobody else would look at it


def _addresses_of(name: str) -> list[str]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
