"""The functions that open pipes, or need no end."""

from __future__ import annotations

import ctypes
from typing import List, Optional, Tuple

from . import _library as _l
from ._end import End, new_handle
from ._errors import check
from ._operations import sliced
from ._pipe import Client, Instance, Pipe, Server
from ._types import GENERIC_READ, GENERIC_WRITE, UNLIMITED_INSTANCES, Bytes, Direction, ListedPipe, Type, as_bytes, create_options, encoded


def connect(
    name: str,
    timeout: Optional[float] = None,
    *,
    access: int = GENERIC_READ | GENERIC_WRITE,
    read_mode: Optional[Type] = None,
    busy_wait: bool = True,
    expect_owner: str = "",
    max_message: int = 0,
) -> Client:
    """CreateFile, with WaitNamedPipe while every instance is taken, for at most timeout seconds.

    name is "Test", r"\\\\.\\pipe\\Test" or "//./pipe/Test". Without a read_mode messages are read from message pipes and bytes from byte pipes.
    Without busy_wait PipeBusyError comes at once. expect_owner is the SID or user name that must own the pipe.
    """
    options, path, dial = dial_options(access, read_mode, busy_wait, expect_owner, max_message), encoded(name), _l.lib().anypipe_dial
    result, handle = new_handle(lambda out: sliced(lambda ms: dial(path, ctypes.byref(options), ms, out), timeout))
    check(result, name)
    client = Client(handle, name, max_message)
    choose_mode(client, read_mode)
    return client


def dial_options(access: int, read_mode: Optional[Type], busy_wait: bool, expect_owner: str, max_message: int) -> _l.DialOptionsStruct:
    """Returns what CreateFile is given."""
    return _l.DialOptionsStruct(
        access=access,
        read_mode=read_mode or Type.BYTE,
        no_busy_wait=not busy_wait,
        expect_owner=encoded(expect_owner) if expect_owner else None,
        max_message=max_message,
    )


def choose_mode(client: End, read_mode: Optional[Type]) -> None:
    """Makes a client that did not choose a read mode read messages from message pipes."""
    if read_mode is None and client.type is Type.MESSAGE:
        try:
            client.set_modes(Type.MESSAGE)
        except OSError:
            pass  # a read-only client may not, and a disconnected one hears it from its first operation


def listen(
    name: str,
    *,
    type: Type = Type.BYTE,
    read_mode: Optional[Type] = None,
    direction: Direction = Direction.DUPLEX,
    max_instances: int = UNLIMITED_INSTANCES,
    default_timeout: float = 0.05,
    in_buffer: int = 65536,
    out_buffer: int = 65536,
    sddl: str = "",
    first: bool = False,
    no_wait: bool = False,
    accept_remote: bool = False,
    no_foreign: bool = False,
    backlog: int = 0,
    max_message: int = 0,
) -> Server:
    """Creates a pipe and keeps instances LISTENING, so that no client meets a gap. What is not given is as CreateNamedPipe has
    it: a duplex byte pipe of unlimited instances, for this user only. Without a read_mode the server ends read what the type is."""
    options = create_options(
        type,
        read_mode,
        direction,
        max_instances,
        default_timeout,
        in_buffer,
        out_buffer,
        sddl,
        first,
        no_wait,
        accept_remote,
        no_foreign,
        backlog,
        max_message,
    )
    path = encoded(name)
    result, handle = new_handle(lambda out: _l.lib().anypipe_listen(path, ctypes.byref(options), out))
    check(result, name)
    server = Server(handle, name)
    server._max_message = max_message
    return server


def create(
    name: str,
    *,
    type: Type = Type.BYTE,
    read_mode: Optional[Type] = None,
    direction: Direction = Direction.DUPLEX,
    max_instances: int = UNLIMITED_INSTANCES,
    default_timeout: float = 0.05,
    in_buffer: int = 65536,
    out_buffer: int = 65536,
    sddl: str = "",
    first: bool = False,
    no_wait: bool = False,
    accept_remote: bool = False,
    no_foreign: bool = False,
    max_message: int = 0,
) -> Instance:
    """CreateNamedPipe: makes one instance, which is LISTENING at once. Most servers want listen."""
    options = create_options(
        type,
        read_mode,
        direction,
        max_instances,
        default_timeout,
        in_buffer,
        out_buffer,
        sddl,
        first,
        no_wait,
        accept_remote,
        no_foreign,
        0,
        max_message,
    )
    path = encoded(name)
    result, handle = new_handle(lambda out: _l.lib().anypipe_create(path, ctypes.byref(options), out))
    check(result, name)
    return Instance(handle, name, max_message)


def call(name: str, request: Bytes, timeout: Optional[float] = None) -> bytes:
    """CallNamedPipe: opens a message pipe, waiting while it is busy, sends one message, reads one, closes."""
    with connect(name, timeout, read_mode=Type.MESSAGE) as client:
        return client.transact(request, timeout)


def wait(name: str, timeout: Optional[float] = None) -> None:
    """WaitNamedPipe: returns when an instance is LISTENING; reserves nothing. PipeNotFoundError at once if there is no such pipe."""
    path = encoded(name)
    check(sliced(lambda ms: _l.lib().anypipe_wait(path, ms), timeout), name)


def pair(quota: int = 0) -> Tuple[Pipe, Pipe]:
    """CreatePipe: the reading and the writing end of an anonymous byte pipe within this process. quota 0 is 4096 bytes."""
    reading, writing = _l.Handle(), _l.Handle()
    check(_l.lib().anypipe_pair(quota, ctypes.byref(reading), ctypes.byref(writing)))
    return Pipe(reading.value, "reading end"), Pipe(writing.value, "writing end")


def list_pipes() -> List[ListedPipe]:
    """The live pipes of this machine that the user may see, ordered by name."""
    found: List[ListedPipe] = []

    def visit(_: Optional[int], listed: "ctypes._Pointer[_l.ListedStruct]") -> int:
        p = listed.contents
        name, owner, sddl, path = ((text or b"").decode(errors="replace") for text in (p.name, p.owner, p.sddl, p.path))
        default_timeout = p.default_timeout_ms / 1000
        kind, direction = Type(p.type), Direction(p.direction)
        found.append(ListedPipe(name, kind, direction, p.max_instances, p.instances, default_timeout, p.owner_uid, owner, sddl, path))
        return 0

    check(_l.lib().anypipe_list(_l.VISIT(visit), None))
    return found


def version() -> str:
    """The library's version."""
    text: bytes = _l.lib().anypipe_version()
    return text.decode()


def open_handles() -> int:
    """How many handles of this process are open: 0 when a program has closed all it opened."""
    return int(_l.lib().anypipe_open_handles())
