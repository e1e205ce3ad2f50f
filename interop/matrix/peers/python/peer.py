"""The peer of the matrix in Python. interop/matrix/README.md says what a peer does."""

from __future__ import annotations

import struct
import sys
import threading
from typing import Callable, List, Optional

import anypipe

FLOOD_MESSAGES = 1000
LONGEST = 64 << 20  # a length from the other end beyond this is nonsense


class Wrong(Exception):
    """What came is not what should have come."""


def say(line: str) -> None:
    print(line, flush=True)


class Channel:
    """One end, speaking messages on both types."""

    def __init__(self, end: anypipe.Pipe) -> None:
        self.end = end
        self.messages = end.type is anypipe.MESSAGE

    def send(self, data: bytes) -> None:
        if self.messages:
            self.end.write_message(data)
        else:
            self.end.write(struct.pack("<I", len(data)) + data)

    def receive(self) -> bytes:
        if self.messages:
            return self.end.read_message()
        (size,) = struct.unpack("<I", self.read_exactly(4))
        if size > LONGEST:
            raise Wrong(f"a message of {size} bytes")
        return self.read_exactly(size)

    def read_exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            data += self.end.read(size - len(data))
        return bytes(data)


class Hash:
    """FNV-1a with 64 bits over messages, of each its length and its bytes."""

    def __init__(self) -> None:
        self.value = 0xCBF29CE484222325

    def add(self, message: bytes) -> None:
        value = self.value
        for byte in struct.pack("<I", len(message)) + message:
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        self.value = value

    def hex(self) -> str:
        return f"{self.value:016x}"


def flood_message(i: int, shift: int) -> bytes:
    """shift is 0 for what the client sends, 128 for the server."""
    return bytes((i + j + shift) % 256 for j in range(i * 37 % 2000))


def flood_hash(shift: int) -> str:
    expected = Hash()
    for i in range(FLOOD_MESSAGES):
        expected.add(flood_message(i, shift))
    return expected.hex()


def flood(channel: Channel, shift: int) -> str:
    """Sends and receives at once. Returns the hash of what came."""
    failures: List[BaseException] = []

    def send() -> None:
        try:
            for i in range(FLOOD_MESSAGES):
                channel.send(flood_message(i, shift))
        except OSError as e:
            failures.append(e)

    sending = threading.Thread(target=send)
    sending.start()
    received = Hash()
    try:
        for _ in range(FLOOD_MESSAGES):
            received.add(channel.receive())
    finally:
        sending.join()  # the other end reads or is gone, so this ends
    if failures:
        raise failures[0]
    return received.hex()


def serve_client(channel: Channel) -> None:
    while True:
        message = channel.receive()
        if message == b"BYE":
            return
        if message == b"FLOOD":
            channel.send(b"HASH " + flood(channel, 128).encode())
        else:
            channel.send(message)


def serve_clients(end: anypipe.Instance) -> None:
    """Serves client after client until the instance is closed. Whatever a client does ends its connection only."""
    while not end.closed:
        try:
            end.connect()
            serve_client(Channel(end))
        except (OSError, Wrong):
            pass
        try:
            end.disconnect()
        except OSError:
            pass  # it is closed


def serve(name: str, kind: anypipe.Type, most: int) -> int:
    instances = [anypipe.create(name, type=kind, max_instances=most) for _ in range(most)]
    serving = [threading.Thread(target=serve_clients, args=(end,)) for end in instances]
    for thread in serving:
        thread.start()
    say("ready")
    while sys.stdin.buffer.read(1):
        pass
    for end in instances:
        end.close()
    for thread in serving:
        thread.join()
    return 0


def say_end(channel: Channel) -> None:
    """Prints how reading ended; what comes before the end is ignored."""
    try:
        while True:
            channel.receive()
    except anypipe.PipeError as e:
        say(f"error {e.winerror}")


def check(right: bool, wrong: str) -> None:
    if not right:
        raise Wrong(wrong)


def client(name: str, kind: anypipe.Type) -> int:
    with anypipe.connect(name, read_mode=kind) as end:
        server = Channel(end)
        for size in (1, 64, 1000, 65537, 0, 1048576):
            message = bytes((size + j) % 251 for j in range(size))
            server.send(message)
            check(server.receive() == message, f"the echo of {size} bytes is different")
        say("echo ok")
        server.send(b"FLOOD")
        check(flood(server, 0) == flood_hash(128), "the server's flood has another hash")
        check(server.receive() == b"HASH " + flood_hash(0).encode(), "the server's answer has another hash")
        say("flood ok")
        server.send(b"BYE")
        say_end(server)
        say("done")
    return 0


def hold(name: str, kind: anypipe.Type) -> int:
    with anypipe.connect(name, read_mode=kind) as end:
        server = Channel(end)
        server.send(b"hold")
        check(server.receive() == b"hold", "the echo is different")
        say("connected")
        say_end(server)
    return 0


def say_result(action: Callable[[], None]) -> int:
    try:
        action()
        say("ok")
    except anypipe.PipeError as e:
        say(f"error {e.winerror}")
    return 0


def parse_type(text: str) -> Optional[anypipe.Type]:
    return {"byte": anypipe.BYTE, "message": anypipe.MESSAGE}.get(text)


def run(args: List[str]) -> int:
    kind = parse_type(args[2]) if len(args) > 2 else None
    if args[:1] == ["serve"] and len(args) == 4 and kind is not None and args[3].isdigit():
        return serve(args[1], kind, int(args[3]))
    if args[:1] == ["client"] and len(args) == 3 and kind is not None:
        return client(args[1], kind)
    if args[:1] == ["hold"] and len(args) == 3 and kind is not None:
        return hold(args[1], kind)
    if args[:1] == ["open"] and len(args) == 2:
        return say_result(lambda: anypipe.connect(args[1], busy_wait=False).close())
    if args[:1] == ["wait"] and len(args) == 3 and args[2].isdigit():
        return say_result(lambda: anypipe.wait(args[1], int(args[2]) / 1000))
    usage = "peer serve NAME byte|message MAX | client NAME byte|message | hold NAME byte|message | open NAME | wait NAME MS"
    print("usage:", usage, file=sys.stderr)
    return 2


def main() -> int:
    try:
        return run(sys.argv[1:])
    except (OSError, Wrong) as e:
        say(str(e))
        return 1


if __name__ == "__main__":
    sys.exit(main())
