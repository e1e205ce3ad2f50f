"""Windows named pipes, with their exact semantics, on every system.

    with anypipe.listen("Test", type=anypipe.MESSAGE) as server:
        for client in server:
            with client:
                for message in client:
                    client.write_message(message)

    with anypipe.connect("Test") as pipe:
        print(pipe.transact(b"hello"))

The same for asyncio is in anypipe.aio. Errors are OSErrors with the Win32 number in winerror.
"""

from ._errors import (
    MessageTooLongError,
    PipeAccessError,
    PipeBusyError,
    PipeClosedError,
    PipeDisconnectedError,
    PipeError,
    PipeInterruptedError,
    PipeNoDataError,
    PipeNotFoundError,
    PipeTimeoutError,
)
from ._open import call, connect, create, listen, open_handles, pair, version, wait
from ._open import list_pipes as list
from ._pipe import Client, Instance, Pipe, Server
from ._types import (
    GENERIC_READ,
    GENERIC_WRITE,
    UNBUFFERED,
    UNLIMITED_INSTANCES,
    Direction,
    Info,
    ListedPipe,
    Peeked,
    Peer,
    ReadResult,
    State,
    Type,
)

BYTE, MESSAGE = Type.BYTE, Type.MESSAGE
DUPLEX, INBOUND, OUTBOUND = Direction.DUPLEX, Direction.INBOUND, Direction.OUTBOUND

__all__ = [
    "BYTE",
    "Client",
    "DUPLEX",
    "Direction",
    "GENERIC_READ",
    "GENERIC_WRITE",
    "INBOUND",
    "Info",
    "Instance",
    "ListedPipe",
    "MESSAGE",
    "MessageTooLongError",
    "OUTBOUND",
    "Peeked",
    "Peer",
    "Pipe",
    "PipeAccessError",
    "PipeBusyError",
    "PipeClosedError",
    "PipeDisconnectedError",
    "PipeError",
    "PipeInterruptedError",
    "PipeNoDataError",
    "PipeNotFoundError",
    "PipeTimeoutError",
    "ReadResult",
    "Server",
    "State",
    "Type",
    "UNBUFFERED",
    "UNLIMITED_INSTANCES",
    "call",
    "connect",
    "create",
    "list",
    "listen",
    "open_handles",
    "pair",
    "version",
    "wait",
]
