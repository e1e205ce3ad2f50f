"""asyncio: data, cancellation, many clients."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Awaitable, List, Optional, Tuple, TypeVar

import anypipe
from anypipe import aio

from .common import EchoServer, PipeTest, pattern, unique_name

T = TypeVar("T")


async def limited(awaitable: "Awaitable[T]", timeout: float = 60) -> T:
    return await asyncio.wait_for(awaitable, timeout)


async def aio_pair(kind: anypipe.Type = anypipe.MESSAGE, **options: Any) -> Tuple[aio.Instance, aio.Client]:
    name = unique_name("aio")
    server = aio.create(name, type=kind, **options)
    return server, await limited(aio.connect(name))


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Lets a task begin to wait, and cancels it."""
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


class AioTest(PipeTest):
    def fails(self, winerror: int, awaitable: "Awaitable[object]") -> "asyncio.Future[None]":
        async def check() -> None:
            with self.assertRaises(anypipe.PipeError) as caught:
                await limited(awaitable)
            self.assertEqual(caught.exception.winerror, winerror)

        return asyncio.ensure_future(check())


class Data(AioTest):
    def test_messages_of_all_sizes(self) -> None:
        async def talk(name: str) -> None:
            async with await aio.connect(name) as pipe:
                for size in (0, 1, 64, 65536, 65537, 1 << 20, 3 << 20):
                    await pipe.write_message(pattern(size))
                    self.assertTrue(await limited(pipe.read_message()) == pattern(size), size)
                    self.assertTrue(await limited(pipe.transact(pattern(size))) == pattern(size), size)
                await pipe.flush()

        with EchoServer(anypipe.MESSAGE) as name:
            asyncio.run(talk(name))

    def test_a_byte_pipe(self) -> None:
        async def talk() -> None:
            server, client = await aio_pair(anypipe.BYTE)
            async with server, client:
                writing = asyncio.ensure_future(client.write(pattern(300000)))
                got = bytearray()
                while len(got) < 300000:
                    got += await limited(server.read())
                self.assertEqual(await writing, 300000)
                self.assertTrue(got == pattern(300000))
                await self.fails(230, client.read_message())
                await self.fails(230, client.write_message(b"x"))

        asyncio.run(talk())

    def test_a_thousand_messages_both_ways_at_once(self) -> None:
        messages = [pattern(i * 37 % 2000) for i in range(1000)]

        async def send(end: aio.Pipe) -> None:
            for message in messages:
                await end.write_message(message)

        async def receive(end: aio.Pipe) -> List[bytes]:
            return [await end.read_message() for _ in messages]

        async def flood() -> None:
            server, client = await aio_pair()
            async with server, client:
                results = await limited(asyncio.gather(receive(server), receive(client), send(server), send(client)))
                self.assertTrue(results[0] == messages and results[1] == messages)

        asyncio.run(flood())

    def test_many_clients_of_one_server(self) -> None:
        async def serve(client: aio.Instance) -> None:
            async with client:
                async for message in client:
                    await client.write_message(message)

        async def accept(server: aio.Server) -> None:
            serving = [asyncio.ensure_future(serve(client)) async for client in server]
            await asyncio.gather(*serving)

        async def talk(name: str, i: int) -> None:
            async with await aio.connect(name) as pipe:
                for j in range(10):
                    self.assertEqual(await pipe.transact(str(i * j).encode()), str(i * j).encode())

        async def everyone() -> None:
            name = unique_name("many")
            server = aio.listen(name, type=anypipe.MESSAGE)
            accepting = asyncio.ensure_future(accept(server))
            await limited(asyncio.gather(*(talk(name, i) for i in range(100))))
            self.assertEqual(await limited(aio.call(name, b"one more")), b"one more")
            server.close()
            await limited(accepting)

        asyncio.run(everyone())

    def test_iteration_ends_with_the_other_end(self) -> None:
        async def talk() -> None:
            server, client = await aio_pair()
            async with client:
                async with server:
                    await server.write_message(b"one")
                    await server.write_message(b"")
                self.assertEqual([m async for m in client], [b"one", b""])

        asyncio.run(talk())


class Errors(AioTest):
    def test_numbers(self) -> None:
        async def meet() -> None:
            await self.fails(2, aio.connect(unique_name("none")))
            await self.fails(2, aio.wait(unique_name("none")))
            server, client = await aio_pair(max_instances=1)
            async with server, client:
                await self.fails(231, aio.connect(client.name, busy_wait=False))
                reading = asyncio.ensure_future(client.read())
                server.disconnect()
                await self.fails(233, reading)
                await self.fails(233, client.write(b"x"))
            server, client = await aio_pair()
            async with client:
                server.close()
                await self.fails(109, client.read())
                await self.fails(232, client.write(b"x"))

        asyncio.run(meet())

    def test_close_ends_what_waits(self) -> None:
        async def close() -> None:
            server, client = await aio_pair()
            async with server:
                reading = asyncio.ensure_future(client.read())
                await asyncio.sleep(0)
                client.close()
                await self.fails(995, reading)

        asyncio.run(close())

    def test_a_message_over_the_limit(self) -> None:
        async def receive() -> None:
            server, client = await aio_pair(max_message=4)
            async with server, client:
                await client.write_message(b"message")
                with self.assertRaises(anypipe.MessageTooLongError) as caught:
                    await server.read_message()
                self.assertEqual((caught.exception.data, await server.read_message()), (b"mess", b"age"))

        asyncio.run(receive())


class Cancellation(AioTest):
    def test_a_cancelled_read_leaves_the_data(self) -> None:
        async def cancel() -> None:
            server, client = await aio_pair()
            async with server, client:
                await cancelled(asyncio.ensure_future(client.read_message()))
                await server.write_message(b"still there")
                self.assertEqual(await client.read_message(), b"still there")
                await self.fails(995, self.cancelled_by_hand(client))

        asyncio.run(cancel())

    async def cancelled_by_hand(self, client: aio.Client) -> bytes:
        reading = asyncio.ensure_future(client.read())
        while not reading.done():
            client.cancel()
            await asyncio.sleep(0)
        return await reading

    def test_nothing_is_lost_however_often_reads_are_cancelled(self) -> None:
        messages = [pattern(i * 1009 % 200000) for i in range(100)]

        async def send(end: aio.Pipe) -> None:
            for message in messages:
                await end.write_message(message)

        async def next_message(end: aio.Pipe, patience: int) -> Optional[bytes]:
            reading = asyncio.ensure_future(end.read_message())
            for _ in range(patience):
                await asyncio.sleep(0)
            reading.cancel()
            try:
                return await reading
            except asyncio.CancelledError:
                return None

        async def cancel() -> None:
            server, client = await aio_pair()
            async with server, client:
                sending = asyncio.ensure_future(send(server))
                got: List[bytes] = []
                patience = 0
                while len(got) < len(messages):
                    patience = (patience + 1) % 50
                    message = await next_message(client, patience)
                    if message is not None:
                        got.append(message)
                await sending
                self.assertTrue(got == messages)

        asyncio.run(limited(cancel()))

    def test_a_cancelled_write_is_taken_back(self) -> None:
        async def cancel() -> None:
            server, client = await aio_pair(in_buffer=4)
            async with server, client:
                await cancelled(asyncio.ensure_future(client.write(b"too long")))
                await client.write(b"next")
                self.assertEqual(await server.read_message(), b"next")

        asyncio.run(cancel())

    def test_cancelled_accept_connect_and_wait(self) -> None:
        async def cancel() -> None:
            name = unique_name("accept")
            async with aio.listen(name, max_instances=1) as server:
                await cancelled(asyncio.ensure_future(server.accept()))
                first = asyncio.ensure_future(server.accept())
                async with await aio.connect(name) as client, await limited(first) as end:
                    await cancelled(asyncio.ensure_future(aio.connect(name)))
                    await cancelled(asyncio.ensure_future(aio.wait(name)))
                    await client.write(b"x")
                    self.assertEqual(await end.read(), b"x")

        asyncio.run(cancel())

    def test_a_loop_that_ends_leaves_nothing(self) -> None:
        async def leave() -> None:
            server, client = await aio_pair()
            asyncio.ensure_future(client.read())  # asyncio.run cancels it
            await asyncio.sleep(0)
            ends.extend((server, client))

        ends: List[aio.Pipe] = []
        asyncio.run(leave())
        for end in ends:
            end.close()

    def test_an_instance_waits_for_its_client(self) -> None:
        async def serve() -> None:
            name = unique_name("instance")
            async with aio.create(name) as server:
                connecting = asyncio.ensure_future(server.connect())
                await cancelled(connecting)
                connecting = asyncio.ensure_future(server.connect())
                async with await limited(aio.connect(name)):
                    self.assertIn(await limited(connecting), (0, 535))

        asyncio.run(serve())
