"""What each operation does when all goes well."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import anypipe

from .common import EchoServer, PipeTest, connected_pair, pattern, unique_name


class Data(PipeTest):
    def test_messages_of_all_sizes(self) -> None:
        with EchoServer(anypipe.MESSAGE) as name, anypipe.connect(name) as pipe:
            for size in (0, 1, 64, 65536, 65537, 1 << 20):
                pipe.write_message(pattern(size))
                self.assertEqual(pipe.read_message(), pattern(size))
                self.assertEqual(pipe.transact(pattern(size)), pattern(size))

    def test_messages_of_all_sizes_beside_the_main_thread(self) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.test_messages_of_all_sizes).result()

    def test_bytes_of_all_sizes(self) -> None:
        with EchoServer(anypipe.BYTE) as name, anypipe.connect(name) as pipe, ThreadPoolExecutor(1) as pool:
            for size in (1, 64, 65537, 1 << 20):
                writing = pool.submit(pipe.write, pattern(size))
                data = bytearray()
                while len(data) < size:
                    data += pipe.read()
                self.assertEqual(writing.result(), size)
                self.assertEqual(data, pattern(size))

    def test_a_thousand_messages_both_ways_at_once(self) -> None:
        messages = [pattern(i * 37 % 2000) for i in range(1000)]

        def flood(end: anypipe.Pipe) -> None:
            def send() -> None:
                for message in messages:
                    end.write_message(message)

            sending = threading.Thread(target=send)
            sending.start()
            self.assertEqual([end.read_message() for _ in messages], messages)
            sending.join()

        server, client = connected_pair()
        with server, client, ThreadPoolExecutor(1) as pool:
            serving = pool.submit(flood, server)
            flood(client)
            serving.result()

    def test_many_clients_at_once(self) -> None:
        def talk(i: int) -> None:
            with anypipe.connect(name) as pipe:
                for j in range(20):
                    self.assertEqual(pipe.transact(str(i * j).encode()), str(i * j).encode())

        with EchoServer(anypipe.MESSAGE) as name, ThreadPoolExecutor(20) as pool:
            list(pool.map(talk, range(20)))

    def test_iteration_ends_with_the_other_end(self) -> None:
        server, client = connected_pair()
        with client:
            with server:
                for message in (b"one", b"", b"three"):
                    server.write_message(message)
            self.assertEqual(list(client), [b"one", b"", b"three"])

    def test_parts_of_a_message(self) -> None:
        server, client = connected_pair()
        with server, client:
            server.write_message(b"abcdef")
            self.assertEqual(client.read(4), b"abcd")
            self.assertEqual(client.read(4), b"ef")
            server.write_message(b"abcdef")
            buffer = bytearray(4)
            self.assertEqual(client.read_into(buffer), (4, True))
            self.assertEqual(client.read_into(memoryview(buffer)), (2, False))
            self.assertEqual(buffer, b"efcd")

    def test_data_of_any_kind(self) -> None:
        server, client = connected_pair()
        with server, client:
            for data in (b"bytes", bytearray(b"bytes"), memoryview(b"bytes"), memoryview(b"xbxyxtxexs")[1::2]):
                client.write(data)
                self.assertEqual(server.read_message(), bytes(data))

    def test_a_message_over_the_limit(self) -> None:
        name = unique_name()
        with anypipe.create(name, type=anypipe.MESSAGE) as server, anypipe.connect(name, max_message=4) as client:
            server.write_message(b"message")
            e = self.assert_fails(234, anypipe.MessageTooLongError, client.read_message)
            assert isinstance(e, anypipe.MessageTooLongError)
            self.assertEqual((e.data, client.read_message()), (b"mess", b"age"))

    def test_a_wait_that_ends_within_a_large_message_loses_nothing(self) -> None:
        message = pattern(16 << 20)
        server, client = connected_pair()
        with server, client, ThreadPoolExecutor(1) as pool:
            writing = pool.submit(server.write_message, message)
            got = b""
            while not got:
                try:
                    got = client.read_message(timeout=0.001)
                except TimeoutError:
                    pass
            self.assertTrue(got == message, f"{len(got)} of {len(message)} bytes")
            writing.result()

    def test_peek(self) -> None:
        server, client = connected_pair()
        with server, client:
            self.assertEqual(client.peek().messages, 0)
            server.write_message(b"first")
            server.write_message(b"second")
            self.assertEqual(client.peek(3), (b"fir", 11, 2, 2, 5, anypipe.State.CONNECTED))
            self.assertEqual(client.read_message(), b"first")
            self.assert_fails(231, anypipe.PipeBusyError, lambda: client.transact(b"x"))

    def test_flush(self) -> None:
        server, client = connected_pair()
        with server, client, ThreadPoolExecutor(1) as pool:
            client.flush(0)
            client.write(b"x")
            self.assert_fails(121, TimeoutError, lambda: client.flush(0))
            reading = pool.submit(server.read)
            client.flush()
            self.assertEqual(reading.result(), b"x")

    def test_a_direction_ends(self) -> None:
        server, client = connected_pair(anypipe.BYTE)
        with server, client:
            client.write(b"last")
            client.close_write()
            self.assertEqual(list(server), [b"last"])
            server.write(b"answer")
            self.assertEqual(client.read(), b"answer")

    def test_anonymous_pipes(self) -> None:
        reading, writing = anypipe.pair(10)
        with reading, writing:
            self.assertEqual(writing.write(b"0123456789"), 10)
            self.assert_fails(121, TimeoutError, lambda: writing.write(b"x", timeout=0))
            self.assertEqual(reading.read(), b"0123456789")


class Information(PipeTest):
    def test_info_and_modes(self) -> None:
        name = unique_name()
        with anypipe.create(name, type=anypipe.MESSAGE, max_instances=3, in_buffer=100, out_buffer=0) as server:
            self.assertEqual(server.info().state, anypipe.State.LISTENING)
            with anypipe.connect(name) as client:
                info = client.info()
                self.assertEqual((info.type, info.read_mode, info.server), (anypipe.MESSAGE, anypipe.MESSAGE, False))
                self.assertEqual((info.max_instances, info.instances, info.in_quota, info.out_quota), (3, 1, 100, 0))
                client.set_modes(anypipe.BYTE, no_wait=True)
                self.assertEqual(client.info()[1:5], (anypipe.BYTE, anypipe.DUPLEX, anypipe.State.CONNECTED, True))
                self.assert_fails(232, BlockingIOError, client.read)

    def test_read_modes(self) -> None:
        name = unique_name()
        with anypipe.create(name, type=anypipe.MESSAGE) as server, anypipe.connect(name, read_mode=anypipe.BYTE) as client:
            server.write(b"a")
            server.write(b"b")
            self.assertEqual(client.read(), b"ab")

    def test_the_peer(self) -> None:
        server, client = connected_pair()
        with server, client:
            peer = server.peer()
            self.assertEqual(peer.pid, os.getpid())
            self.assertEqual((peer.uid, peer.sid), (os.getuid(), f"S-1-22-1-{os.getuid()}"))
            self.assertEqual(client.peer().pid, os.getpid())

    def test_list_wait_and_call(self) -> None:
        with EchoServer(anypipe.MESSAGE) as name:
            anypipe.wait(name, 60)
            self.assertEqual(anypipe.call(name, b"question"), b"question")
            (found,) = [p for p in anypipe.list() if p.name == name]
            self.assertEqual((found.type, found.max_instances), (anypipe.MESSAGE, anypipe.UNLIMITED_INSTANCES))
        with EchoServer(anypipe.BYTE) as name:
            (found,) = [p for p in anypipe.list() if p.name == name]
            self.assertTrue(os.path.exists(found.path))

    def test_an_instance_serves_one_client_after_another(self) -> None:
        name = unique_name()
        with anypipe.create(name) as server, ThreadPoolExecutor(1) as pool:
            with anypipe.connect(name):
                self.assertEqual(server.connect(), 535)
            server.disconnect()
            connecting = pool.submit(server.connect)
            anypipe.wait(name, 60)
            with anypipe.connect(name) as client:
                self.assertIn(connecting.result(), (0, 535))
                client.write(b"left behind")
            self.assertEqual(server.connect(), 232)
            self.assertEqual(server.read(), b"left behind")

    def test_the_client_is_acted_for(self) -> None:
        server, client = connected_pair()
        with server, client:
            client.write(b"x")
            server.read()
            if os.geteuid() != 0:
                self.assert_fails(1368, OSError, lambda: server.run_as_client(os.geteuid))
                return
            self.assertEqual(server.run_as_client(os.geteuid), 0)
            with self.assertRaises(ZeroDivisionError):
                server.run_as_client(lambda: 1 // 0)
