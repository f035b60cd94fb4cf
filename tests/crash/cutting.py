"""A network between two ends that is cut just when it hurts, or that falls silent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

READ_BYTES = 1 << 16


@dataclass(slots=True)
class Network:
    """Passes everything on, both ways. `cut_after`: once all of these were sent on one connection, in this order, the
    answer to the last is dropped and the connection cut; this once. While `flows` is not set it is silent."""

    port: int = 0
    cut_after: tuple[bytes, ...] = ()
    cuts: int = 0
    flows: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_on(self, mine: "Ends", other: "Ends") -> None:
        """What one end sends, to the other; the end of either is the end of both."""
        with suppress(ConnectionError):
            while data := await mine.reader.read(READ_BYTES):
                await self.flows.wait()
                if mine.is_doomed:
                    break
                mine.met += any(map(data.__contains__, self.cut_after[mine.met : mine.met + 1]))
                if mine.met and mine.met == len(self.cut_after):
                    other.is_doomed, self.cut_after = True, ()
                    self.cuts += 1
                other.writer.write(data)
                await other.writer.drain()
        for writer in (mine.writer, other.writer):
            writer.transport.abort()


@dataclass(slots=True)
class Ends:
    """One end of a connection; a doomed one has said its last. `met`: how much of `cut_after` it has sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_doomed: bool = False
    met: int = 0


@asynccontextmanager
async def network_to(port: int) -> AsyncGenerator[Network]:
    """A network that leads to a port of this machine."""
    network = Network()
    network.flows.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client, server = Ends(reader, writer), Ends(*await asyncio.open_connection("127.0.0.1", port))
        await asyncio.gather(network.pass_on(client, server), network.pass_on(server, client))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    network.port = listening.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        listening.close()
        await asyncio.sleep(0.01)  # lets the handlers end
