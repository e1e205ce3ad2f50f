"""Sends every message back, to as many clients at once as come.   usage: echo_server.py NAME"""

import sys
import threading

import anypipe


def serve(client: anypipe.Instance) -> None:
    with client:
        print("client", client.peer().pid, "came", flush=True)
        try:
            for message in client:  # until the client closes
                client.write_message(message)
        except anypipe.PipeError as e:
            print(e, file=sys.stderr)


def main(name: str) -> None:
    with anypipe.listen(name, type=anypipe.MESSAGE) as server:
        print("listening on", name, flush=True)
        for client in server:
            threading.Thread(target=serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        pass
