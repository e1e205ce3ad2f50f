"""Sends each line of its input as a message; a task prints what comes, meanwhile.   usage: aio_client.py NAME"""

import asyncio
import sys

from anypipe import aio


async def print_answers(pipe: aio.Client, count: int) -> None:
    for _ in range(count):
        print((await pipe.read_message()).decode())


async def main(name: str) -> None:
    lines = sys.stdin.read().splitlines()
    async with await asyncio.wait_for(aio.connect(name), 5) as pipe:
        answers = asyncio.create_task(print_answers(pipe, len(lines)))
        for line in lines:
            await pipe.write_message(line.encode())
        await answers


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
