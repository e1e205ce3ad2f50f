"""What every object with a handle has in common, and what every end can do without waiting."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import warnings
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple, TypeVar

from . import _library as _l
from ._errors import MessageTooLongError, PipeError, check, error
from ._types import Direction, Info, Peeked, Peer, State, Type, info_of

T = TypeVar("T")

DEFAULT_READ = 65536
LONGEST_PART = 1 << 20  # how much memory a message gets before its bytes are there: the other end's word is not trusted further


class Owner:
    """Owns a handle of the library: closes it once, and warns if nobody did."""

    def __init__(self, handle: int, name: str) -> None:
        self.name = name
        self._handle = handle  # 0 once it is closed; guarded by _closing where it changes
        self._closing = threading.Lock()
        self._process = os.getpid()

    @property
    def closed(self) -> bool:
        return self._handle == 0

    def detach(self) -> int:
        """Gives the handle away: the caller closes it."""
        with self._closing:
            handle, self._handle = self._handle, 0
        return handle

    def close(self) -> None:
        """CloseHandle. What waits, in whichever thread or task, fails with winerror 995. Closing what is closed does nothing."""
        handle = self.detach()
        if handle:
            check(_l.lib().anypipe_close(handle), self.name)

    def cancel(self) -> bool:
        """CancelIoEx: ends all that waits here with winerror 995. Says whether anything did."""
        result = _l.lib().anypipe_cancel(self._handle)
        if result not in (_l.OK, _l.NOT_FOUND):
            check(result, self.name)
        return bool(result == _l.OK)

    def _live(self) -> int:
        """Returns the handle, for calls that begin now."""
        if self._handle == 0:
            raise error(_l.INVALID_HANDLE, self.name, "it is closed")
        return self._handle

    def __del__(self) -> None:
        # A forked child has the object, not the pipe. Of an __init__ that failed there may be no handle.
        if getattr(self, "_handle", 0) and self._process == os.getpid() and not sys.is_finalizing():
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)
            try:
                self.close()
            except PipeError:
                pass

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<{type(self).__module__.replace('._pipe', '')}.{type(self).__qualname__} {self.name!r}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} belongs to its process and can't be pickled; send the pipe's name")


class End(Owner):
    """An end of a pipe: what it can do at once."""

    def __init__(self, handle: int, name: str, max_message: int = 0) -> None:
        super().__init__(handle, name)
        result, info = info_of(handle)
        # A client's info fails once the server disconnected; then every other operation fails too, and the type is no matter.
        self._type = Type(info.type) if result == _l.OK else Type.BYTE
        self._read_mode = Type(info.read_mode) if result == _l.OK else Type.BYTE
        self._parts = Parts(self, max_message)

    @property
    def type(self) -> Type:
        """The pipe's type."""
        return self._type

    def peek(self, size: int = 0) -> Peeked:
        """PeekNamedPipe: copies up to size bytes from the front without taking anything."""
        buffer, peeked = ctypes.create_string_buffer(size), _l.PeekedStruct()
        check(_l.lib().anypipe_peek(self._live(), buffer, size, ctypes.byref(peeked)), self.name)
        data = ctypes.string_at(buffer, peeked.read)
        return Peeked(data, peeked.available, peeked.left, peeked.messages, peeked.length, State(peeked.state))

    def close_write(self) -> None:
        """Ends this direction: the other end reads what is buffered and then fails with 109."""
        check(_l.lib().anypipe_close_write(self._live()), self.name)

    def set_modes(self, read_mode: Type, no_wait: bool = False) -> None:
        """SetNamedPipeHandleState: both modes of this end, from the next operation on."""
        check(_l.lib().anypipe_set_modes(self._live(), read_mode, no_wait), self.name)
        self._read_mode = read_mode

    def info(self) -> Info:
        """GetNamedPipeInfo and GetNamedPipeHandleState."""
        result, i = info_of(self._live())
        check(result, self.name)
        return Info(
            Type(i.type),
            Type(i.read_mode),
            Direction(i.direction),
            State(i.state),
            bool(i.no_wait),
            bool(i.server),
            bool(i.reject_remote),
            i.max_instances,
            i.instances,
            i.in_quota,
            i.out_quota,
            i.readable,
            i.write_quota,
        )

    def peer(self) -> Peer:
        """Who is at the other end; also after it closed."""
        p = _l.PeerStruct()
        check(_l.lib().anypipe_get_peer(self._live(), ctypes.byref(p)), self.name)
        groups, count = (ctypes.c_int64 * p.group_count)(), ctypes.c_size_t()
        if p.group_count:
            check(_l.lib().anypipe_get_peer_groups(self._live(), groups, p.group_count, ctypes.byref(count)), self.name)
        known = tuple(groups[: min(count.value, p.group_count)])
        return Peer(p.pid, p.session, p.uid, p.gid, p.sid.decode(errors="replace"), p.user.decode(errors="replace"), known)

    def _needs_messages(self) -> None:
        """Refuses what needs boundaries on a byte pipe, which keeps none."""
        if self._type is not Type.MESSAGE:
            raise error(_l.BAD_PIPE, self.name, "a byte pipe keeps no messages")

    def _message_mode(self) -> bool:
        return self._type is Type.MESSAGE and self._read_mode is Type.MESSAGE

    def _needs_message_mode(self) -> None:
        self._needs_messages()
        if not self._message_mode():
            raise error(_l.BAD_PIPE, self.name, "read_message needs message-read mode; see set_modes")


class Parts:
    """The parts of a message that is longer than one read. What a wait that ended had of it stays for the next call.

    Used by one reader at a time; _pipe and aio see to that.
    """

    def __init__(self, end: End, max_message: int) -> None:
        self.end = end
        self.max_message = max_message  # 0 is no limit
        self.parts: List[bytes] = []
        self.left = 0  # what is missing, as far as peek has told; 0 if it was not asked

    def next_size(self) -> int:
        """How many bytes to ask for."""
        size = DEFAULT_READ
        if self.parts:
            length = self.end.peek().length
            if length == 0 or self.left not in (0, length):
                self.clear()  # its writer took the rest back; what follows is another message
            else:
                self.left, size = length, min(length, LONGEST_PART)
        held = sum(map(len, self.parts))
        return min(size, self.max_message - held) if self.max_message else size

    def add(self, data: bytes, more: bool) -> Optional[bytes]:
        """Returns the message when it is whole."""
        self.parts.append(data)
        self.left = max(0, self.left - len(data))
        if more and (self.max_message == 0 or sum(map(len, self.parts)) < self.max_message):
            return None
        whole = b"".join(self.parts)
        self.clear()
        if more:
            too_long = MessageTooLongError(_l.MORE_DATA, self.end.name)
            too_long.data = whole
            raise too_long
        return whole

    def clear(self) -> None:
        self.parts.clear()
        self.left = 0


class ServerEnd(End):
    """What an instance can do more."""

    def disconnect(self) -> None:
        """DisconnectNamedPipe: the client's end is dead at once and everything unread, both ways, is gone."""
        check(_l.lib().anypipe_disconnect(self._live()), self.name)

    def run_as_client(self, action: Callable[[], T]) -> T:
        """ImpersonateNamedPipeClient ... RevertToSelf: runs action on a thread that has the client's identity, and returns what it
        returned or raises what it raised. On Unix the process must be root (1368)."""
        results: Dict[str, Any] = {}

        def run(_: Optional[int]) -> int:
            try:
                results["value"] = action()
            except BaseException as e:  # travels beside the library
                results["raised"] = e
            return 0

        check(_l.lib().anypipe_run_as_client(self._live(), _l.ACTION(run), None, None), self.name)
        if "raised" in results:
            raise results["raised"]
        value: T = results["value"]
        return value


def new_handle(call: Callable[[Any], Any]) -> Tuple[int, int]:
    """Returns the result and the handle of a call that makes one; an interrupt on the way leaves none behind."""
    handle = _l.Handle()
    try:
        result = call(ctypes.byref(handle))
    except BaseException:
        if handle.value:
            _l.lib().anypipe_close(handle)
        raise
    return result, handle.value
