"""echo_server.py with asyncio.   usage: aio_echo_server.py NAME"""

import asyncio
import sys
from typing import Set

import anypipe
from anypipe import aio


async def serve(client: aio.Instance) -> None:
    async with client:
        try:
            async for message in client:  # until the client closes
                await client.write_message(message)
        except anypipe.PipeError as e:
            print(e, file=sys.stderr)


async def main(name: str) -> None:
    tasks: Set["asyncio.Task[None]"] = set()
    async with aio.listen(name, type=anypipe.MESSAGE) as server:
        print("listening on", name, flush=True)
        async for client in server:
            task = asyncio.create_task(serve(client))
            tasks.add(task)  # the loop itself holds tasks only weakly
            task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except KeyboardInterrupt:
        pass
