"""Named pipes for asyncio. The functions and classes are those of anypipe, with coroutines where something waits.

A cancelled task leaves nothing behind: its operation is cancelled and done before the cancellation goes on, and what came at that moment is kept for
the next read. For time limits use asyncio.wait_for. Objects belong to the loop in which they were made.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, List, Optional, Tuple, Type as Class, TypeVar

from . import _library as _l
from . import _open
from ._end import DEFAULT_READ, End, Owner, ServerEnd
from ._errors import check, error, failed, failed_read
from ._operations import SLICE_MS, awaited
from ._pipe import Instance as _BlockingInstance, Server as _BlockingServer
from ._types import GENERIC_READ, GENERIC_WRITE, Bytes, Type, as_bytes, encoded

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")
S = TypeVar("S", bound="_Closing")


class _Closing(Owner):
    """An asynchronous context manager that closes. close itself doesn't wait."""

    async def __aenter__(self: S) -> S:
        return self

    async def __aexit__(self, kind: Optional[Class[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()


class Pipe(_Closing, End):
    """An end of a pipe. Iterating over it gives the messages (byte pipes: what comes) until the other end closes."""

    def __init__(self, handle: int, name: str, max_message: int = 0) -> None:
        super().__init__(handle, name, max_message)
        self._reading = asyncio.Lock()  # one read at a time, so that a message's parts stay together
        self._rescued: List[Tuple[bytes, bool]] = []  # read for tasks that were cancelled

    async def read(self, size: int = DEFAULT_READ) -> bytes:
        """ReadFile: at least one byte, or in message-read mode at most one message: of a longer one, the next read gives more."""
        async with self._reading:
            data, _ = await self._part(size)
            return data

    async def read_message(self) -> bytes:
        """The next whole message, of any size. It needs message-read mode. b"" is an empty message. Longer than max_message:
        MessageTooLongError, whose data is its beginning."""
        self._needs_message_mode()
        async with self._reading:
            return await self._rest()

    async def _rest(self) -> bytes:
        """Reads until the message is whole. The caller has _reading."""
        while True:
            # What was rescued belongs before what peek sees.
            size = DEFAULT_READ if self._rescued else self._parts.next_size()
            whole = self._parts.add(*await self._part(size))
            if whole is not None:
                return whole

    async def _part(self, size: int) -> Tuple[bytes, bool]:
        """One read: its bytes, and whether the message goes on."""
        if self._rescued:
            data, more = self._rescued.pop(0)
            if len(data) > size:
                self._rescued.insert(0, (data[size:], more))
                return data[:size], self._message_mode()
            return data, more
        buffer, start, handle = ctypes.create_string_buffer(size), _l.lib().anypipe_read_start, self._live()
        result, length = await awaited(lambda *a: start(handle, buffer, size, *a), (buffer,), self._rescue_from(buffer))
        if result not in (_l.OK, _l.MORE_DATA):
            raise failed_read(result, self.name)
        return ctypes.string_at(buffer, length), result == _l.MORE_DATA

    def _rescue_from(self, buffer: "ctypes.Array[ctypes.c_char]") -> Callable[[int, int], None]:
        """Returns what keeps a cancelled task's bytes for the next read."""
        return lambda result, length: self._rescued.append((ctypes.string_at(buffer, length), result == _l.MORE_DATA))

    async def write(self, data: Bytes) -> int:
        """WriteFile: on a message pipe one message. Returns when what is unread fits into the quota."""
        held, start, handle = as_bytes(data), _l.lib().anypipe_write_start, self._live()
        result, count = await awaited(lambda *a: start(handle, held, len(held), *a), (held,))
        check(result, self.name)
        return count

    async def write_message(self, data: Bytes) -> None:
        """write for message pipes only: winerror 230 on byte pipes, where no boundaries would be kept."""
        self._needs_messages()
        await self.write(data)

    async def transact(self, request: Bytes) -> bytes:
        """TransactNamedPipe: sends one message and reads the next one, of any size. Winerror 230 without message-read mode, 231 with
        unread data. When the task is cancelled the request stays delivered."""
        held, start, handle = as_bytes(request), _l.lib().anypipe_transact_start, self._live()
        async with self._reading:
            if self._rescued or self._parts.parts:
                raise error(_l.PIPE_BUSY, self.name, "a cancelled read left data unread")
            size = min(DEFAULT_READ, self._parts.max_message or DEFAULT_READ)
            reply = ctypes.create_string_buffer(size)
            keep, rescue = (held, reply), self._rescue_from(reply)
            result, count = await awaited(lambda *a: start(handle, held, len(held), reply, size, *a), keep, rescue)
            if result not in (_l.OK, _l.MORE_DATA):
                raise failed(result, self.name)
            whole = self._parts.add(ctypes.string_at(reply, count), result == _l.MORE_DATA)
            return await self._rest() if whole is None else whole

    async def flush(self) -> None:
        """FlushFileBuffers: waits until the other end has read everything that this end wrote before."""
        start, handle = _l.lib().anypipe_flush_start, self._live()
        result, _ = await awaited(lambda done, key, operation, _: start(handle, done, key, operation), ())
        check(result, self.name)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                data = await (self.read_message() if self._message_mode() else self.read())
            except BrokenPipeError:
                return
            yield data


class Client(Pipe):
    """A client end, made by connect."""


class Instance(Pipe, ServerEnd):
    """An instance (server end), made by create or by Server.accept."""

    async def connect(self) -> int:
        """ConnectNamedPipe: waits for a client; after disconnect the instance is LISTENING again. Returns 0, or 535 if the client was there
        already, or 232 if it came and went; what it left is readable."""
        start, handle = _l.lib().anypipe_connect_start, self._live()
        result, _ = await awaited(lambda done, key, operation, _: start(handle, done, key, operation), ())
        if result not in (_l.OK, _l.PIPE_CONNECTED, _l.NO_DATA):
            raise failed(result, self.name)
        self._rescued.clear()
        self._parts.clear()
        return result


class Server(_Closing):
    """A listener, made by listen. Iterating over it gives each client's server end until it is closed."""

    def __init__(self, blocking: _BlockingServer) -> None:
        super().__init__(blocking.detach(), blocking.name)
        self._max_message = blocking._max_message
        self._accepting = asyncio.Lock()  # guards _coming
        self._coming: "Optional[asyncio.Future[Tuple[int, int]]]" = None  # the next client, also for the task after a cancelled one

    async def accept(self) -> Instance:
        """Waits for the next client and returns its server end, which the caller closes."""
        async with self._accepting:
            if self._coming is None:
                accept, handle = _l.lib().anypipe_accept, self._live()
                self._coming = _in_thread(lambda ms, out: accept(handle, ms, out), threading.Event())
            result, end = await asyncio.shield(self._coming)
            self._coming = None
        if result:
            raise error(result, self.name)
        return Instance(end, self.name, self._max_message)

    def close(self) -> None:
        """Ends waiting accepts. The instances that it gave out stay."""
        super().close()
        if self._coming and not self._accepting.locked():  # nobody waits for it any more
            self._coming.add_done_callback(lambda coming: _close(coming.result()[1]))
            self._coming = None

    async def __aiter__(self) -> AsyncIterator[Instance]:
        while not self.closed:
            try:
                client = await self.accept()
            except OSError:
                if self.closed:
                    return
                raise
            yield client


def _in_thread(call: Callable[[int, Any], Any], stop: threading.Event) -> "asyncio.Future[Tuple[int, int]]":
    """Runs a call that waits, and has no operation to start, in a thread of its own, in slices, so that stop ends it. The future gets its
    result and the handle that it made."""
    loop = asyncio.get_running_loop()
    future: "asyncio.Future[Tuple[int, int]]" = loop.create_future()

    def work() -> None:
        out, result = _l.Handle(), int(_l.TIMEOUT)
        while result == _l.TIMEOUT and not stop.is_set():
            result = call(SLICE_MS, ctypes.byref(out))
        try:
            loop.call_soon_threadsafe(future.set_result, (result, out.value))
        except RuntimeError:  # the loop was closed: nobody waits any more
            _close(out.value)

    threading.Thread(target=work, name="anypipe", daemon=True).start()
    return future


async def _wait_for(call: Callable[[int, Any], Any]) -> Tuple[int, int]:
    """Awaits such a call. A cancelled task ends it within a slice; what it makes all the same is closed."""
    stop = threading.Event()
    future = _in_thread(call, stop)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        future.add_done_callback(lambda done: _close(done.result()[1]))
        raise


def _close(handle: int) -> None:
    if handle:
        _l.lib().anypipe_close(handle)


async def connect(
    name: str,
    *,
    access: int = GENERIC_READ | GENERIC_WRITE,
    read_mode: Optional[Type] = None,
    busy_wait: bool = True,
    expect_owner: str = "",
    max_message: int = 0,
) -> Client:
    """anypipe.connect; it waits while every instance is taken."""
    options, path = _open.dial_options(access, read_mode, busy_wait, expect_owner, max_message), encoded(name)
    dial = _l.lib().anypipe_dial
    result, handle = await _wait_for(lambda ms, out: dial(path, ctypes.byref(options), ms, out))
    if result:
        raise error(result, name)
    client = Client(handle, name, max_message)
    _open.choose_mode(client, read_mode)
    return client


async def wait(name: str) -> None:
    """WaitNamedPipe: returns when an instance is LISTENING; reserves nothing. PipeNotFoundError at once if there is no such pipe."""
    path = encoded(name)
    result, _ = await _wait_for(lambda ms, _: _l.lib().anypipe_wait(path, ms))
    if result:
        raise error(result, name)


async def call(name: str, request: Bytes) -> bytes:
    """CallNamedPipe: opens a message pipe, waiting while it is busy, sends one message, reads one, closes."""
    async with await connect(name, read_mode=Type.MESSAGE) as client:
        return await client.transact(request)


def _adopt(made: _BlockingInstance) -> Instance:
    return Instance(made.detach(), made.name, made._parts.max_message)


def _like(blocking: "Callable[P, T]", make: Callable[[T], S]) -> "Callable[P, S]":
    """Returns the function that opens as the blocking one does, with its parameters, and gives this module's class."""

    def opened(*args: "P.args", **kwargs: "P.kwargs") -> S:
        return make(blocking(*args, **kwargs))

    opened.__doc__ = blocking.__doc__
    opened.__wrapped__ = blocking  # type: ignore[attr-defined]  # for help() and inspect.signature
    return opened


listen = _like(_open.listen, Server)
create = _like(_open.create, _adopt)

__all__ = ["Client", "Instance", "Pipe", "Server", "call", "connect", "create", "listen", "wait"]
