"""Operations that were started (OVERLAPPED): who waits for them, and what keeps their memory until they are done.

The library calls _done on a thread of its own. The table below holds each operation from its start to that call, and so its buffers.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import itertools
import os
import threading
import time
from typing import Any, Callable, Dict, Optional, Tuple

from . import _library as _l
from ._types import milliseconds

# Signals reach Python code only between calls, in the main thread: there a call into the library waits at most so long at a time.
SLICE_MS = 50

# Starts an operation: it is given the done callback, its context, and where the operation's handle and the count go.
Start = Callable[[Any, int, Any, Any], Any]


class Operation:
    """One started operation. Written by the thread that starts it before the start, then by _done alone."""

    def __init__(self, finish: Callable[[int, int], None], keep: Tuple[object, ...]) -> None:
        self.finish = finish
        self.keep = keep  # the buffers
        self.handle = _l.Handle()

    def start(self, start: Start) -> Tuple[int, int]:
        """Returns IO_PENDING if finish will be called, perhaps it was already, else the final result and the count."""
        key = next(_keys)
        _pending[key] = self
        length = ctypes.c_size_t()
        try:
            error: int = start(_done, key, ctypes.byref(self.handle), ctypes.byref(length))
            return error, length.value
        finally:  # also when a signal's exception hides the result
            if not self.started:
                _pending.pop(key, None)

    @property
    def started(self) -> bool:
        """Whether the library took it, and calls finish, or has."""
        return self.handle.value != 0

    def cancel(self) -> None:
        """Makes the library finish it soon, unless it has."""
        _l.lib().anypipe_cancel(self.handle)


_keys = itertools.count(1)
_pending: Dict[int, Operation] = {}  # its single steps are atomic; what is in it belongs to the library


def _finish(context: int, error: int, length: int) -> None:
    _pending.pop(context).finish(error, length)


_done = _l.DONE(_finish)


@atexit.register
def _cancel_all() -> None:
    """Lets no callback come while the interpreter goes down."""
    for operation in list(_pending.values()):
        operation.cancel()
    end = time.monotonic() + 5
    while _pending and time.monotonic() < end:
        time.sleep(0.001)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pending.clear)  # the child's library refuses everything; they are the parent's


def in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def sliced(call: Callable[[int], Any], timeout: Optional[float]) -> int:
    """Runs a call that a timeout leaves undone: in the main thread in slices, between which Python handles signals (Ctrl-C)."""
    limit = milliseconds(timeout)
    if not in_main_thread():
        return int(call(limit))
    if limit == _l.FOREVER:
        while True:
            error: int = call(SLICE_MS)
            if error != _l.TIMEOUT:
                return error
    end = time.monotonic() + limit / 1000
    while True:
        error = call(min(limit, SLICE_MS))
        limit = milliseconds(end - time.monotonic())
        if error != _l.TIMEOUT or limit == 0:
            return error


def finished(start: Start, keep: Tuple[object, ...], timeout: Optional[float]) -> Tuple[int, int]:
    """Runs a call that a timeout does not leave undone, such as a write: starts it and waits, so that Python handles signals meanwhile."""
    results = []
    done = threading.Lock()
    done.acquire()

    def finish(error: int, length: int) -> None:
        results.append((error, length))
        done.release()

    operation = Operation(finish, keep)
    timed_out = False
    try:
        error, length = operation.start(start)
        if error != _l.IO_PENDING:
            return error, length
        timed_out = not acquired(done, timeout)
    finally:  # also for KeyboardInterrupt: what was started ends before the caller goes on
        if operation.started and not results:
            operation.cancel()
            acquired(done, None)
    error, length = results[0]
    return _l.TIMEOUT if timed_out and error == _l.ABORTED else error, length


def acquired(lock: threading.Lock, timeout: Optional[float]) -> bool:
    """lock.acquire in slices: on Windows a signal does not end it."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = SLICE_MS / 1000 if end is None else min(SLICE_MS / 1000, end - time.monotonic())
        if lock.acquire(timeout=max(0.0, left)):
            return True
        if end is not None and time.monotonic() >= end:
            return False


async def awaited(start: Start, keep: Tuple[object, ...], rescue: Optional[Callable[[int, int], None]] = None) -> Tuple[int, int]:
    """Starts an operation and awaits it. A cancelled task cancels the operation and goes on only when that is done, so that no memory is
    used after; if it succeeded all the same, rescue is given the result."""
    loop = asyncio.get_running_loop()
    future: "asyncio.Future[Tuple[int, int]]" = loop.create_future()

    def finish(error: int, length: int) -> None:
        try:
            loop.call_soon_threadsafe(future.set_result, (error, length))
        except RuntimeError:
            pass  # the loop was closed: nobody waits any more

    operation = Operation(finish, keep)
    error, length = operation.start(start)
    if error != _l.IO_PENDING:
        return error, length
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        operation.cancel()
        await _surely(future)
        error, length = future.result()
        if rescue and error in (_l.OK, _l.MORE_DATA):
            rescue(error, length)
        raise
    return future.result()


async def _surely(future: "asyncio.Future[Tuple[int, int]]") -> None:
    """Awaits what is about to be done, whoever cancels meanwhile."""
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            pass
