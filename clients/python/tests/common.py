"""What the tests share."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import unittest
from typing import Callable, List, Optional, Sequence, Type as Class

import anypipe

_numbers = itertools.count(1)


def unique_name(what: str = "test") -> str:
    return f"python-{what}-{os.getpid()}-{next(_numbers)}"


def pattern(size: int) -> bytes:
    """Bytes that a lost or moved byte would change."""
    return (bytes(range(251)) * (size // 251 + 2))[size % 251 :][:size]


def echo(client: anypipe.Instance) -> None:
    with client:
        try:
            for data in client:
                client.write(data)
        except OSError:
            pass  # how the connection ended is the client's to check


class EchoServer:
    """Serves each client on a thread of its own. Leaving it joins all threads."""

    def __init__(self, kind: anypipe.Type, serve: Callable[[anypipe.Instance], None] = echo) -> None:
        self.name = unique_name("echo")
        self.server = anypipe.listen(self.name, type=kind)
        self.serve = serve
        self.threads: List[threading.Thread] = []
        self.accepting = threading.Thread(target=self._accept)
        self.accepting.start()

    def _accept(self) -> None:
        for client in self.server:
            self.threads.append(threading.Thread(target=self.serve, args=(client,)))
            self.threads[-1].start()

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self.accepting.join()
        for thread in self.threads:
            thread.join()


class PipeTest(unittest.TestCase):
    """Checks after each test that it closed every handle."""

    def setUp(self) -> None:
        self.addCleanup(lambda: self.assertEqual(anypipe.open_handles(), 0))

    def assert_fails(self, winerror: int, kind: Class[OSError], action: Callable[[], object]) -> anypipe.PipeError:
        with self.assertRaises(kind) as caught:
            action()
        self.assertIsInstance(caught.exception, anypipe.PipeError)
        assert isinstance(caught.exception, anypipe.PipeError)
        self.assertEqual(caught.exception.winerror, winerror)
        return caught.exception


def python(source: str, *args: str, stdin: Optional[int] = subprocess.PIPE, options: Sequence[str] = ()) -> "subprocess.Popen[str]":
    """Starts a Python process that runs the source."""
    command = [sys.executable, *options, "-c", source, *args]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def connected_pair(kind: anypipe.Type = anypipe.MESSAGE, **options: int) -> "tuple[anypipe.Instance, anypipe.Client]":
    name = unique_name("pair")
    server = anypipe.create(name, type=kind, **options)  # type: ignore[arg-type]
    return server, anypipe.connect(name)
