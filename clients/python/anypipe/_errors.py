"""Errors: OSErrors with the Win32 number in winerror, and of the subclass that Python programs expect."""

from __future__ import annotations

import ctypes
import errno as _errno
from typing import Dict, Optional, Tuple, Type

from ._library import NO_DATA, lib


class PipeError(OSError):
    """An operation on a pipe failed. winerror is the Win32 number, errno the nearest of this system's."""

    winerror: int

    def __init__(self, winerror: int, name: Optional[str] = None, detail: str = "") -> None:
        self.detail = detail  # what exactly was wrong, in the library's words
        super().__init__(_ERRNO.get(winerror, _errno.EIO), lib().anypipe_error_text(winerror).decode(), name)
        self.winerror = winerror

    @property
    def constant(self) -> str:
        """The number's Win32 constant, such as ERROR_PIPE_BUSY."""
        text: bytes = lib().anypipe_error_name(self.winerror)
        return text.decode()

    def __str__(self) -> str:
        where = "" if self.filename is None else f": {self.filename!r}"
        return f"[WinError {self.winerror} {self.constant}] " + (self.detail or f"{self.strerror}{where}")

    def __reduce__(self) -> Tuple[object, ...]:
        return type(self), (self.winerror, self.filename, self.detail)


class PipeNotFoundError(PipeError, FileNotFoundError):
    """2: there is no pipe of that name."""


class PipeAccessError(PipeError, PermissionError):
    """5: the descriptor, the direction, or the name was to be the first."""


class PipeBusyError(PipeError):
    """231: no instance is free, the limit of instances is reached, or there is unread data before a transact."""


class PipeTimeoutError(PipeError, TimeoutError):
    """121: the time was over."""


class PipeClosedError(PipeError, BrokenPipeError):
    """109 and 232: the other end closed."""


class PipeDisconnectedError(PipeError, ConnectionResetError):
    """233: the server disconnected; what was unread is gone."""


class PipeNoDataError(PipeError, BlockingIOError):
    """232 from a read of an end that doesn't wait (no_wait): nothing is there."""

    def __init__(self, winerror: int, name: Optional[str] = None, detail: str = "") -> None:
        super().__init__(winerror, name, detail)
        self.errno = _errno.EAGAIN


class PipeInterruptedError(PipeError):
    """995: cancelled, or its end was closed."""


class MessageTooLongError(PipeError):
    """234: a message is longer than max_message. data is its beginning; the rest is the next message."""

    data: bytes = b""


_CLASSES: Dict[int, Type[PipeError]] = {
    2: PipeNotFoundError,
    5: PipeAccessError,
    109: PipeClosedError,
    121: PipeTimeoutError,
    231: PipeBusyError,
    232: PipeClosedError,
    233: PipeDisconnectedError,
    234: MessageTooLongError,
    995: PipeInterruptedError,
}

_ERRNO = {
    1: _errno.EPERM,
    2: _errno.ENOENT,
    5: _errno.EACCES,
    6: _errno.EBADF,
    8: _errno.ENOMEM,
    50: _errno.EOPNOTSUPP,
    87: _errno.EINVAL,
    109: _errno.EPIPE,
    121: _errno.ETIMEDOUT,
    123: _errno.EINVAL,
    206: _errno.ENAMETOOLONG,
    230: _errno.EPROTO,
    231: _errno.EBUSY,
    232: _errno.EPIPE,
    233: _errno.ECONNRESET,
    234: _errno.EMSGSIZE,
    535: _errno.EISCONN,
    536: _errno.ENOTCONN,
    995: _errno.ECANCELED,
    997: _errno.EINPROGRESS,
    1168: _errno.ESRCH,
    1368: _errno.EPERM,
}


def error(winerror: int, name: Optional[str] = None, detail: str = "") -> PipeError:
    """Returns the exception for a number."""
    return _CLASSES.get(winerror, PipeError)(winerror, name, detail)


def failed(winerror: int, name: Optional[str] = None) -> PipeError:
    """Returns the exception for what this thread's last call returned, with the library's words on what was wrong."""
    text = ctypes.create_string_buffer(512)
    lib().anypipe_last_detail(text, len(text))
    return error(winerror, name, text.value.decode(errors="replace"))


def failed_read(winerror: int, name: Optional[str] = None) -> PipeError:
    """failed for reads, where 232 says that nothing is there."""
    return PipeNoDataError(winerror, name) if winerror == NO_DATA else failed(winerror, name)


def check(winerror: int, name: Optional[str] = None) -> None:
    """Raises what a call failed with."""
    if winerror:
        raise failed(winerror, name)
