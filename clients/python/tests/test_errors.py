"""Every error where a program meets it."""

from __future__ import annotations

import errno
import gc
import pickle
import threading
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, List

import anypipe

from .common import PipeTest, connected_pair, python, unique_name


class Errors(PipeTest):
    def test_none_is_2(self) -> None:
        name = unique_name("none")
        e = self.assert_fails(2, FileNotFoundError, lambda: anypipe.connect(name))
        self.assertEqual((e.errno, e.filename, e.constant), (errno.ENOENT, name, "ERROR_FILE_NOT_FOUND"))
        self.assertIn("WinError 2 ERROR_FILE_NOT_FOUND", str(e))
        self.assert_fails(2, FileNotFoundError, lambda: anypipe.wait(name, 1))
        self.assert_fails(2, FileNotFoundError, lambda: anypipe.call(name, b""))

    def test_busy_is_231_and_its_wait_121(self) -> None:
        name = unique_name()
        with anypipe.create(name, max_instances=1), anypipe.connect(name):
            self.assert_fails(231, anypipe.PipeBusyError, lambda: anypipe.create(name))
            self.assert_fails(231, anypipe.PipeBusyError, lambda: anypipe.connect(name, busy_wait=False))
            self.assert_fails(121, TimeoutError, lambda: anypipe.connect(name, timeout=0.01))
            self.assert_fails(121, TimeoutError, lambda: anypipe.wait(name, 0.01))

    def test_nothing_to_read_is_121_in_every_thread(self) -> None:
        server, client = connected_pair()
        with server, client, ThreadPoolExecutor(1) as pool:
            for timeout in (0, 0.001, 0.06):
                reads: List[Callable[[], bytes]] = [lambda: client.read(timeout=timeout), lambda: client.read_message(timeout)]
                for read in reads:
                    self.assert_fails(121, TimeoutError, read)
                    self.assert_fails(121, TimeoutError, pool.submit(read).result)

    def test_a_transact_that_times_out_stays_delivered(self) -> None:
        server, client = connected_pair()
        with server, client:
            self.assert_fails(121, TimeoutError, lambda: client.transact(b"request", timeout=0.01))
            self.assertEqual(server.read_message(), b"request")

    def test_a_write_that_times_out_is_taken_back(self) -> None:
        server, client = connected_pair(in_buffer=4)
        with server, client, ThreadPoolExecutor(1) as pool:
            self.assert_fails(121, TimeoutError, lambda: client.write(b"too long", timeout=0.01))
            self.assert_fails(121, TimeoutError, lambda: pool.submit(client.write, b"too long", timeout=0.01).result())
            client.write(b"next")
            self.assertEqual(server.read_message(), b"next")

    def test_a_disconnect_is_233(self) -> None:
        server, client = connected_pair()
        with server, client:
            server.write(b"lost")
            server.disconnect()
            e = self.assert_fails(233, ConnectionResetError, client.read)
            self.assertEqual(e.errno, errno.ECONNRESET)
            self.assert_fails(233, anypipe.PipeDisconnectedError, lambda: list(client))
            self.assert_fails(233, anypipe.PipeDisconnectedError, lambda: client.write(b"x"))

    def test_a_close_is_109_and_232(self) -> None:
        server, client = connected_pair()
        with client:
            with server:
                server.write(b"kept")
            self.assertEqual(client.read_message(), b"kept")
            self.assert_fails(109, BrokenPipeError, client.read)
            self.assert_fails(232, BrokenPipeError, lambda: client.write(b"x"))
            self.assert_fails(230, anypipe.PipeError, lambda: client.transact(b"x"))

    def test_a_killed_server_is_109(self) -> None:
        source = "import anypipe, sys; s = anypipe.create(sys.argv[1], type=1); print('ready', flush=True); sys.stdin.read()"
        name = unique_name("killed")
        with python(source, name) as process:
            assert process.stdout
            self.assertEqual(process.stdout.readline(), "ready\n")
            with anypipe.connect(name) as client, ThreadPoolExecutor(1) as pool:
                reading = pool.submit(client.read)
                process.kill()
                self.assert_fails(109, BrokenPipeError, reading.result)
        self.assert_fails(2, FileNotFoundError, lambda: anypipe.connect(name))

    def test_what_a_byte_pipe_has_not(self) -> None:
        server, client = connected_pair(anypipe.BYTE)
        with server, client:
            self.assert_fails(230, anypipe.PipeError, client.read_message)
            self.assert_fails(230, anypipe.PipeError, lambda: client.write_message(b"x"))
            self.assert_fails(230, anypipe.PipeError, lambda: client.transact(b"x"))
            self.assert_fails(87, anypipe.PipeError, lambda: client.set_modes(anypipe.MESSAGE))

    def test_wrong_parameters(self) -> None:
        self.assert_fails(123, anypipe.PipeError, lambda: anypipe.connect("\\\\.\\pipe\\"))
        self.assert_fails(206, anypipe.PipeError, lambda: anypipe.create("n" * 300))
        self.assert_fails(87, anypipe.PipeError, lambda: anypipe.create(unique_name(), read_mode=anypipe.MESSAGE))
        with self.assertRaises(ValueError):
            anypipe.connect("cut\0off")

    def test_a_closed_end(self) -> None:
        server, client = connected_pair()
        server.close()
        client.close()
        client.close()
        self.assertTrue(client.closed)
        e = self.assert_fails(6, anypipe.PipeError, client.read)
        self.assertEqual(e.errno, errno.EBADF)
        self.assert_fails(6, anypipe.PipeError, client.info)

    def test_errors_are_pickled(self) -> None:
        e = self.assert_fails(2, FileNotFoundError, lambda: anypipe.connect(unique_name()))
        copy = pickle.loads(pickle.dumps(e))
        self.assertEqual((type(copy), copy.winerror, str(copy)), (type(e), 2, str(e)))


class Waits(PipeTest):
    def ended_by(self, wait: object, end: object) -> anypipe.PipeError:
        """Runs wait on a thread and calls end until it fails."""
        assert callable(wait) and callable(end)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(wait)
            while not waiting.done():
                end()
            return self.assert_fails(995, anypipe.PipeInterruptedError, waiting.result)

    def test_cancel(self) -> None:
        server, client = connected_pair()
        with server, client, anypipe.listen(unique_name()) as listener:
            self.ended_by(client.read, client.cancel)
            self.ended_by(client.read_message, client.cancel)
            self.ended_by(listener.accept, listener.cancel)
            self.assertFalse(client.cancel())
            server.write(b"still there")
            self.assertEqual(client.read(), b"still there")

    def test_close_ends_iteration_over_clients(self) -> None:
        listener = anypipe.listen(unique_name())
        accepting = threading.Thread(target=lambda: list(listener))
        accepting.start()
        listener.close()
        accepting.join()


class Leaks(unittest.TestCase):
    def test_a_leaked_end_warns_and_is_closed(self) -> None:
        server, client = connected_pair()
        with server:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del client
                gc.collect()
            self.assertEqual([w.category for w in caught], [ResourceWarning])
            self.assertIn("unclosed <anypipe.Client 'python-pair-", str(caught[0].message))
            self.assertEqual(anypipe.open_handles(), 1)

    def test_ends_refuse_to_be_pickled(self) -> None:
        server, client = connected_pair()
        with server, client, self.assertRaises(TypeError):
            pickle.dumps(client)
