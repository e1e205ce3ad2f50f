"""The blocking classes. Timeouts are in seconds: None waits without limit, 0 does not wait. Ctrl-C interrupts every wait."""

from __future__ import annotations

import ctypes
import threading
import time
from types import TracebackType
from typing import Iterator, Optional, Type as Class, TypeVar, Union

from . import _library as _l
from ._end import DEFAULT_READ, End, Owner, ServerEnd, new_handle
from ._errors import check, error, failed, failed_read
from ._operations import acquired, finished, in_main_thread, sliced
from ._types import Bytes, ReadResult, Type, as_bytes, milliseconds

S = TypeVar("S", bound="_Closing")


class _Closing(Owner):
    """A context manager that closes."""

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, kind: Optional[Class[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()


class Pipe(_Closing, End):
    """An end of a pipe. Iterating over it gives the messages (byte pipes: what comes) until the other end closes."""

    def __init__(self, handle: int, name: str, max_message: int = 0) -> None:
        super().__init__(handle, name, max_message)
        self._reading = threading.Lock()  # guards _parts: one thread reads messages at a time, so that a message's parts stay together

    def read(self, size: int = DEFAULT_READ, timeout: Optional[float] = None) -> bytes:
        """ReadFile: at least one byte, or in message-read mode at most one message: of a longer one, the next read gives more."""
        buffer = ctypes.create_string_buffer(size)
        return ctypes.string_at(buffer, self._read(buffer, size, timeout).size)

    def read_into(self, buffer: Union[bytearray, memoryview], timeout: Optional[float] = None) -> ReadResult:
        """read into memory of the caller; it tells too whether the message goes on."""
        size = memoryview(buffer).nbytes
        return self._read((ctypes.c_char * size).from_buffer(buffer), size, timeout)

    def _read(self, buffer: "ctypes.Array[ctypes.c_char]", size: int, timeout: Optional[float]) -> ReadResult:
        read, handle, length = _l.lib().anypipe_read, self._live(), ctypes.c_size_t()
        result = sliced(lambda ms: read(handle, buffer, size, ctypes.byref(length), ms), timeout)
        if result not in (_l.OK, _l.MORE_DATA):
            raise failed_read(result, self.name)
        return ReadResult(length.value, result == _l.MORE_DATA)

    def read_message(self, timeout: Optional[float] = None) -> bytes:
        """The next whole message, of any size. It needs message-read mode. b"" is an empty message. Longer than max_message:
        MessageTooLongError, whose data is its beginning."""
        self._needs_message_mode()
        end = None if timeout is None else time.monotonic() + timeout
        if not acquired(self._reading, timeout):
            raise error(_l.TIMEOUT, self.name)
        try:
            return self._rest(end)
        finally:
            self._reading.release()

    def _rest(self, end: Optional[float]) -> bytes:
        """Reads until the message is whole, or the time is over. The caller has _reading."""
        while True:
            size = self._parts.next_size()
            buffer = ctypes.create_string_buffer(size)
            result = self._read(buffer, size, None if end is None else max(0.0, end - time.monotonic()))
            whole = self._parts.add(ctypes.string_at(buffer, result.size), result.more)
            if whole is not None:
                return whole

    def write(self, data: Bytes, timeout: Optional[float] = None) -> int:
        """WriteFile: on a message pipe one message. Returns when what is unread fits into the quota."""
        held, handle = as_bytes(data), self._live()
        if in_main_thread():
            start = _l.lib().anypipe_write_start
            result, count = finished(lambda *a: start(handle, held, len(held), *a), (held,), timeout)
        else:
            length = ctypes.c_size_t()
            result = _l.lib().anypipe_write(handle, held, len(held), ctypes.byref(length), milliseconds(timeout))
            count = length.value
        check(result, self.name)
        return count

    def write_message(self, data: Bytes, timeout: Optional[float] = None) -> None:
        """write for message pipes only: winerror 230 on byte pipes, where no boundaries would be kept."""
        self._needs_messages()
        self.write(data, timeout)

    def transact(self, request: Bytes, timeout: Optional[float] = None) -> bytes:
        """TransactNamedPipe: sends one message and reads the next one, of any size. Winerror 230 without message-read mode, 231 with
        unread data. After a timeout the request stays delivered."""
        held, end = as_bytes(request), None if timeout is None else time.monotonic() + timeout
        size = min(DEFAULT_READ, self._parts.max_message or DEFAULT_READ)
        reply, start, handle = ctypes.create_string_buffer(size), _l.lib().anypipe_transact_start, self._live()
        if not acquired(self._reading, timeout):
            raise error(_l.TIMEOUT, self.name)
        try:
            if self._parts.parts:
                raise error(_l.PIPE_BUSY, self.name, "the beginning of a message was read, and its rest was not")
            result, count = finished(lambda *a: start(handle, held, len(held), reply, size, *a), (held, reply), timeout)
            if result not in (_l.OK, _l.MORE_DATA):
                raise failed(result, self.name)
            whole = self._parts.add(ctypes.string_at(reply, count), result == _l.MORE_DATA)
            return self._rest(end) if whole is None else whole
        finally:
            self._reading.release()

    def flush(self, timeout: Optional[float] = None) -> None:
        """FlushFileBuffers: waits until the other end has read everything that this end wrote before."""
        flush, handle = _l.lib().anypipe_flush, self._live()
        check(sliced(lambda ms: flush(handle, ms), timeout), self.name)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                data = self.read_message() if self._message_mode() else self.read()
            except BrokenPipeError:
                return
            yield data


class Client(Pipe):
    """A client end, made by connect."""


class Instance(Pipe, ServerEnd):
    """An instance (server end), made by create or by Server.accept."""

    def connect(self, timeout: Optional[float] = None) -> int:
        """ConnectNamedPipe: waits for a client; after disconnect the instance is LISTENING again. Returns 0, or 535 if the client was there
        already, or 232 if it came and went; what it left is readable."""
        connect, handle = _l.lib().anypipe_connect, self._live()
        result = sliced(lambda ms: connect(handle, ms), timeout)
        if result not in (_l.OK, _l.PIPE_CONNECTED, _l.NO_DATA):
            raise failed(result, self.name)
        self._parts.clear()
        return result


class Server(_Closing):
    """A listener, made by listen. Iterating over it gives each client's server end until it is closed."""

    _max_message = 0

    def accept(self, timeout: Optional[float] = None) -> Instance:
        """Waits for the next client and returns its server end, which the caller closes."""
        accept, handle = _l.lib().anypipe_accept, self._live()
        result, end = new_handle(lambda out: sliced(lambda ms: accept(handle, ms, out), timeout))
        check(result, self.name)
        return Instance(end, self.name, self._max_message)

    def __iter__(self) -> Iterator[Instance]:
        while not self.closed:
            try:
                client = self.accept()
            except OSError:
                if self.closed:
                    return
                raise
            yield client
