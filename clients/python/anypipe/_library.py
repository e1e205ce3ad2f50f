"""libanypipe, as ctypes sees it: where it is found, its structs, its functions, its constants. anypipe.h says what they do."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
import threading
from typing import Any, List, Optional

OK = 0
NOT_EXIST = 2
ACCESS_DENIED = 5
INVALID_HANDLE = 6
NOT_SUPPORTED = 50
INVALID_PARAMETER = 87
BROKEN_PIPE = 109
TIMEOUT = 121
BAD_PIPE = 230
PIPE_BUSY = 231
NO_DATA = 232
NOT_CONNECTED = 233
MORE_DATA = 234
PIPE_CONNECTED = 535
PIPE_LISTENING = 536
ABORTED = 995
IO_PENDING = 997
NOT_FOUND = 1168

FOREVER = -1
DEFAULT_WAIT = -2

ABI_MAJOR, ABI_MINOR = 1, 0

Handle = ctypes.c_uint64


class _Sized(ctypes.Structure):
    """A struct of anypipe.h: its first field is its size."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(size=ctypes.sizeof(type(self)), **fields)


class CreateOptionsStruct(_Sized):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("read_mode", ctypes.c_uint32),
        ("direction", ctypes.c_uint32),
        ("max_instances", ctypes.c_uint32),
        ("default_timeout_ms", ctypes.c_uint32),
        ("in_buffer", ctypes.c_int64),
        ("out_buffer", ctypes.c_int64),
        ("sddl", ctypes.c_char_p),
        ("first", ctypes.c_uint8),
        ("no_wait", ctypes.c_uint8),
        ("accept_remote", ctypes.c_uint8),
        ("no_foreign", ctypes.c_uint8),
        ("backlog", ctypes.c_uint32),
        ("max_message", ctypes.c_uint64),
    ]


class DialOptionsStruct(_Sized):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("access", ctypes.c_uint32),
        ("read_mode", ctypes.c_uint32),
        ("no_busy_wait", ctypes.c_uint32),
        ("expect_owner", ctypes.c_char_p),
        ("max_message", ctypes.c_uint64),
    ]


class PeekedStruct(_Sized):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("state", ctypes.c_uint32),
        ("read", ctypes.c_uint64),
        ("available", ctypes.c_uint64),
        ("left", ctypes.c_int64),
        ("messages", ctypes.c_uint64),
        ("length", ctypes.c_uint64),
    ]


class InfoStruct(_Sized):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("direction", ctypes.c_uint32),
        ("state", ctypes.c_uint32),
        ("read_mode", ctypes.c_uint32),
        ("no_wait", ctypes.c_uint32),
        ("server", ctypes.c_uint32),
        ("reject_remote", ctypes.c_uint32),
        ("max_instances", ctypes.c_uint32),
        ("instances", ctypes.c_uint32),
        ("in_quota", ctypes.c_uint64),
        ("out_quota", ctypes.c_uint64),
        ("readable", ctypes.c_uint64),
        ("write_quota", ctypes.c_uint64),
    ]


class PeerStruct(_Sized):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("group_count", ctypes.c_uint32),
        ("pid", ctypes.c_int64),
        ("session", ctypes.c_int64),
        ("uid", ctypes.c_int64),
        ("gid", ctypes.c_int64),
        ("sid", ctypes.c_char * 192),
        ("user", ctypes.c_char * 256),
    ]


class ListedStruct(_Sized):
    _fields_ = [
        ("size", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("direction", ctypes.c_uint32),
        ("max_instances", ctypes.c_uint32),
        ("instances", ctypes.c_uint32),
        ("default_timeout_ms", ctypes.c_uint32),
        ("owner_uid", ctypes.c_int64),
        ("name", ctypes.c_char_p),
        ("sddl", ctypes.c_char_p),
        ("owner", ctypes.c_char_p),
        ("path", ctypes.c_char_p),
    ]


DONE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
ACTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
VISIT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ListedStruct))

_int, _size, _text, _memory, _time = ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64
# Output parameters and structs go by ctypes.byref, which void pointers take as well and faster than typed ones.
_out = ctypes.c_void_p

_FUNCTIONS = {
    "anypipe_error_name": (_text, [_int]),
    "anypipe_error_text": (_text, [_int]),
    "anypipe_last_detail": (_size, [_text, _size]),
    "anypipe_version": (_text, []),
    "anypipe_open_handles": (_size, []),
    "anypipe_close": (_int, [Handle]),
    "anypipe_create": (_int, [_text, _out, _out]),
    "anypipe_connect": (_int, [Handle, _time]),
    "anypipe_disconnect": (_int, [Handle]),
    "anypipe_listen": (_int, [_text, _out, _out]),
    "anypipe_accept": (_int, [Handle, _time, _out]),
    "anypipe_dial": (_int, [_text, _out, _time, _out]),
    "anypipe_wait": (_int, [_text, _time]),
    "anypipe_pair": (_int, [_size, _out, _out]),
    "anypipe_read": (_int, [Handle, _memory, _size, _out, _time]),
    "anypipe_write": (_int, [Handle, _text, _size, _out, _time]),
    "anypipe_peek": (_int, [Handle, _memory, _size, _out]),
    "anypipe_flush": (_int, [Handle, _time]),
    "anypipe_close_write": (_int, [Handle]),
    "anypipe_set_modes": (_int, [Handle, ctypes.c_uint32, _int]),
    "anypipe_get_info": (_int, [Handle, _out]),
    "anypipe_get_peer": (_int, [Handle, _out]),
    "anypipe_get_peer_groups": (_int, [Handle, _memory, _size, _out]),
    "anypipe_run_as_client": (_int, [Handle, ACTION, _memory, _out]),
    "anypipe_list": (_int, [VISIT, _memory]),
    "anypipe_read_start": (_int, [Handle, _memory, _size, DONE, _memory, _out, _out]),
    "anypipe_write_start": (_int, [Handle, _text, _size, DONE, _memory, _out, _out]),
    "anypipe_transact_start": (_int, [Handle, _text, _size, _memory, _size, DONE, _memory, _out, _out]),
    "anypipe_flush_start": (_int, [Handle, DONE, _memory, _out]),
    "anypipe_connect_start": (_int, [Handle, DONE, _memory, _out]),
    "anypipe_cancel": (_int, [Handle]),
}


def _candidates() -> List[str]:
    """Where the library may be: where the user says, in this package (a wheel carries it), where the system keeps libraries."""
    chosen = os.environ.get("ANYPIPE_LIBRARY")
    if chosen:
        return [chosen]
    name = {"win32": "anypipe.dll", "darwin": "libanypipe.1.dylib"}.get(sys.platform, "libanypipe.so.1")
    carried = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_lib", name)
    if os.path.exists(carried):
        return [carried]
    return [found for found in (name, ctypes.util.find_library("anypipe")) if found]


def _open() -> ctypes.CDLL:
    failures = []
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError as e:
            failures.append(str(e))
    raise ImportError("libanypipe can't be loaded; set ANYPIPE_LIBRARY to its path: " + "; ".join(failures))


def _load() -> ctypes.CDLL:
    opened = _open()
    opened.anypipe_abi.restype = ctypes.c_uint32
    opened.anypipe_abi.argtypes = []
    abi = opened.anypipe_abi()
    if abi >> 16 != ABI_MAJOR or abi & 0xFFFF < ABI_MINOR:
        raise ImportError(f"libanypipe has interface {abi >> 16}.{abi & 0xFFFF}; this package needs {ABI_MAJOR}.{ABI_MINOR}")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(opened, name)
        function.restype, function.argtypes = result, arguments
    return opened


_lock = threading.Lock()  # guards the making of _library
_library: Optional[ctypes.CDLL] = None


def lib() -> ctypes.CDLL:
    """Returns the library, which the first use loads: a process that was forked after the import, but before the first use, has pipes."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = _load()
    return _library
