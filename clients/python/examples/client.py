"""Sends each line of its input as a message and prints the answer.   usage: client.py NAME"""

import sys

import anypipe


def main(name: str) -> None:
    with anypipe.connect(name, timeout=5) as pipe:
        for line in sys.stdin:
            answer = pipe.transact(line.rstrip("\n").encode(), timeout=60)
            print(answer.decode())


if __name__ == "__main__":
    main(sys.argv[1])
