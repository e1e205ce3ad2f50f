"""Signals, fork, multiprocessing, exit, and the examples: what takes another process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

import anypipe

from .common import PipeTest, connected_pair, python, unique_name

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
posix = unittest.skipUnless(hasattr(os, "fork"), "fork and kill are POSIX's")

# Waits as the action says, until SIGINT comes. The signal comes when the parent has read the line; wherever it falls, before the wait or within,
# KeyboardInterrupt must end the program's wait.
WAITING = """
import anypipe, sys
server = anypipe.create(sys.argv[1], type=anypipe.MESSAGE, max_instances=1, in_buffer=4)
listener = anypipe.listen(sys.argv[1] + "-listener")
client = anypipe.connect(sys.argv[1])
try:
    print("waiting", flush=True)
    ACTION
except KeyboardInterrupt:
    print("interrupted", server.peek().messages, flush=True)
for each in (client, server, listener):
    each.close()
assert anypipe.open_handles() == 0
"""


class Signals(PipeTest):
    @posix
    def test_ctrl_c_interrupts_every_wait(self) -> None:
        actions = {
            "client.read()": "0",
            "client.read_message()": "0",
            "client.read_message(timeout=600)": "0",
            "client.write(b'longer than the quota')": "0",
            "client.write(b'longer than the quota', timeout=600)": "0",
            "client.transact(b'x')": "1",
            "server.connect(); server.disconnect(); server.connect()": "",
            "anypipe.connect(sys.argv[1])": "0",
            "anypipe.wait(sys.argv[1])": "0",
            "listener.accept()": "0",
            "client.write(b'x'); client.flush()": "1",
        }
        for action, messages in actions.items():
            source = WAITING.replace("ACTION", action)
            if not messages:
                source = source.replace("server.peek().messages", "''")
            with self.subTest(action), python(source, unique_name("interrupt")) as process:
                assert process.stdout and process.stderr
                self.assertEqual(process.stdout.readline(), "waiting\n", process.stderr.read() if process.poll() else "")
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=60)
                # A signal between the two steps of an action leaves the second undone: nothing was queued then.
                self.assertIn(output.strip(), (f"interrupted {messages}".strip(), "interrupted 0"), errors)
                self.assertEqual((process.returncode, errors), (0, ""))

    @posix
    def test_a_handler_runs_while_a_read_waits(self) -> None:
        source = """
import anypipe, signal, sys
server = anypipe.create(sys.argv[1], type=anypipe.MESSAGE)
client = anypipe.connect(sys.argv[1])
signal.signal(signal.SIGUSR1, lambda *_: server.write(b"from the handler"))
print("waiting", flush=True)
print(client.read_message().decode(), flush=True)
"""
        with python(source, unique_name("handler"), options=["-W", "ignore"]) as process:
            assert process.stdout
            self.assertEqual(process.stdout.readline(), "waiting\n")
            process.send_signal(signal.SIGUSR1)
            output, errors = process.communicate(timeout=60)
            self.assertEqual((output, errors), ("from the handler\n", ""))


def ask(name: str) -> bytes:
    """Runs in a worker process."""
    return anypipe.call(name, str(os.getpid()).encode(), timeout=60)


class Processes(PipeTest):
    @posix
    def test_a_forked_child_has_no_pipes_and_does_not_disturb(self) -> None:
        server, client = connected_pair()
        with server, client:
            child = os.fork()
            if child == 0:  # results go by exit code: unittest must not run on here
                number = 0
                try:
                    client.read(timeout=0)
                except anypipe.PipeError as e:
                    number = e.winerror
                finally:
                    os._exit(number)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 50)
            server.write(b"undisturbed")
            self.assertEqual(client.read(), b"undisturbed")

    @posix
    def test_a_child_forked_before_the_first_use_has_pipes(self) -> None:
        source = """
import anypipe, os, sys
child = os.fork()
if child == 0:
    with anypipe.create(sys.argv[1]) as server:
        os._exit(server.info().state)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
        with python(source, unique_name("fork")) as process:
            self.assertEqual(process.communicate(timeout=60), ("2\n", ""))

    def test_multiprocessing(self) -> None:
        methods = {"spawn", "forkserver"} & set(multiprocessing.get_all_start_methods())
        for method in sorted(methods):
            with self.subTest(method), anypipe.listen(unique_name(method), type=anypipe.MESSAGE) as server:
                with multiprocessing.get_context(method).Pool(2) as pool:
                    answers = [pool.apply_async(ask, (server.name,)) for _ in range(4)]
                    for _ in answers:
                        with server.accept(timeout=60) as client:
                            message = client.read_message(timeout=60)
                            self.assertEqual(int(message), client.peer().pid)
                            client.write_message(message)
                            client.flush(timeout=60)
                    self.assertTrue(all(int(a.get(60)) for a in answers))

    def test_a_process_may_end_with_everything_open(self) -> None:
        source = """
import anypipe, asyncio, sys, threading
from anypipe import aio
server = anypipe.create(sys.argv[1], type=anypipe.MESSAGE)
threading.Thread(target=anypipe.connect(sys.argv[1]).read, daemon=True).start()
threading.Thread(target=anypipe.listen(sys.argv[1] + "-listener").accept, daemon=True).start()
async def main():
    global end
    end = aio.create(sys.argv[1] + "-aio")
    asyncio.ensure_future(end.connect())
    await asyncio.sleep(0)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("done", flush=True)
"""
        with python(source, unique_name("exit"), options=["-W", "ignore"]) as process:
            output, _ = process.communicate(timeout=60)
            self.assertEqual((output, process.returncode), ("done\n", 0))


class Examples(PipeTest):
    def test_each_server_with_each_client(self) -> None:
        lines = "one\ntwo\n\n" + "long " * 20000 + "\nlast\n"
        for server in ("echo_server.py", "aio_echo_server.py"):
            name = unique_name("example")
            command = [sys.executable, str(EXAMPLES / server), name]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
                assert serving.stdout
                self.assertEqual(serving.stdout.readline(), f"listening on {name}\n")
                for client in ("client.py", "aio_client.py"):
                    with self.subTest(f"{server} {client}"):
                        command = [sys.executable, str(EXAMPLES / client), name]
                        done = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, timeout=60)
                        self.assertTrue(done.returncode == 0 and done.stdout == lines)
                serving.send_signal(signal.SIGINT)
                serving.communicate(timeout=60)
                self.assertEqual(serving.returncode, 0)
