"""What operations are given and what they tell."""

from __future__ import annotations

import ctypes
import enum
import math
from typing import NamedTuple, Optional, Tuple, Union

from . import _library as _l

Bytes = Union[bytes, bytearray, memoryview]

GENERIC_READ = 0x80000000
GENERIC_WRITE = 0x40000000
UNLIMITED_INSTANCES = 255
UNBUFFERED = -1  # a quota of 0


class Type(enum.IntEnum):
    """The type of a pipe, and the read mode of an end."""

    BYTE = 0
    MESSAGE = 1


class Direction(enum.IntEnum):
    """Which way data goes, as the server sees it."""

    DUPLEX = 0
    INBOUND = 1
    OUTBOUND = 2


class State(enum.IntEnum):
    """The state of an instance."""

    DISCONNECTED = 1
    LISTENING = 2
    CONNECTED = 3
    CLOSING = 4


class ReadResult(NamedTuple):
    """What a read into memory gave: the count, and whether the message goes on (ERROR_MORE_DATA)."""

    size: int
    more: bool


class Peeked(NamedTuple):
    """What PeekNamedPipe tells."""

    data: bytes
    available: int  # bytes that can be read in all
    left: int  # bytes of the first message that were not copied; on byte pipes minus len(data), as Windows has it
    messages: int  # queued messages; 0 on byte pipes
    length: int  # unread length of the first message; 0 on byte pipes
    state: State


class Info(NamedTuple):
    """What GetNamedPipeInfo and GetNamedPipeHandleState tell."""

    type: Type
    read_mode: Type
    direction: Direction
    state: State
    no_wait: bool
    server: bool
    reject_remote: bool
    max_instances: int
    instances: int
    in_quota: int
    out_quota: int
    readable: int
    write_quota: int


class Peer(NamedTuple):
    """Who is at the other end, as the system vouches for it. pid and session are 0 if unknown, uid and gid -1 where there is none."""

    pid: int
    session: int
    uid: int
    gid: int
    sid: str
    user: str
    groups: Tuple[int, ...]


class ListedPipe(NamedTuple):
    """A live pipe in a listing. path is its socket's for programs that know only Unix sockets; "" if there is none."""

    name: str
    type: Type
    direction: Direction
    max_instances: int
    instances: int
    default_timeout: float
    owner_uid: int
    owner: str
    sddl: str
    path: str


def milliseconds(timeout: Optional[float]) -> int:
    """Returns the library's form of a timeout in seconds: None waits without limit, 0 doesn't wait, fractions are rounded up."""
    if timeout is None or timeout == math.inf:
        return _l.FOREVER
    return max(0, math.ceil(timeout * 1000))


def as_bytes(data: Bytes) -> bytes:
    """Returns data itself if it is bytes, which nobody changes while an operation has them, else a copy."""
    return data if isinstance(data, bytes) else bytes(memoryview(data))


def encoded(name: str) -> bytes:
    """Returns a name as the library takes it. A NUL within would cut it short, and make it another pipe's."""
    if "\0" in name:
        raise ValueError("a pipe's name holds a NUL character")
    return name.encode("utf-8")


def create_options(
    type: Type,
    read_mode: Optional[Type],
    direction: Direction,
    max_instances: int,
    default_timeout: float,
    in_buffer: int,
    out_buffer: int,
    sddl: str,
    first: bool,
    no_wait: bool,
    accept_remote: bool,
    no_foreign: bool,
    backlog: int,
    max_message: int,
) -> _l.CreateOptionsStruct:
    """Returns what CreateNamedPipe is given."""
    return _l.CreateOptionsStruct(
        type=type,
        read_mode=type if read_mode is None else read_mode,
        direction=direction,
        max_instances=max_instances,
        default_timeout_ms=milliseconds(default_timeout),
        in_buffer=in_buffer or UNBUFFERED,
        out_buffer=out_buffer or UNBUFFERED,
        sddl=encoded(sddl) if sddl else None,
        first=first,
        no_wait=no_wait,
        accept_remote=accept_remote,
        no_foreign=no_foreign,
        backlog=backlog,
        max_message=max_message,
    )


def info_of(handle: int) -> Tuple[int, _l.InfoStruct]:
    """Returns the result and the struct of anypipe_get_info."""
    struct = _l.InfoStruct()
    return _l.lib().anypipe_get_info(handle, ctypes.byref(struct)), struct
