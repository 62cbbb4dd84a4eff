"""As a child: thousands of people who log in at once. Each asks again as soon as they are answered, until this is stopped.

Says `ready` once everybody has asked, and ends when its standard input does.
"""

import asyncio
import json
import sys
from collections.abc import Sequence

import uvloop

from bench.http_connection import Connection

_AT_ONCE = 50


async def _keep_logging_in(port: int, request: bytes, asked: asyncio.Event, answered: list[int]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        try:
            while True:
                waiting = asyncio.ensure_future(connection.ask(request))
                await asyncio.sleep(0)
                asked.set()
                status = int((await waiting).split(b" ", 2)[1])
                answered[0 if status == 200 else 1] += 1
                if status != 200:
                    await asyncio.sleep(1)
        except OSError:
            answered[1] += 1
            await asyncio.sleep(1)


def _request(email: str, password: str) -> bytes:
    body = json.dumps({"email": email, "password": password}).encode()
    lines = ["POST /v1/auth/login HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, "", ""])
    return head.encode() + body


async def _run(port: int, people: int, logins: Sequence[Sequence[str]]) -> None:
    requests = [_request(email, password) for email, password in logins]
    answered = [0, 0]
    tasks = []
    for number in range(people):
        asked = asyncio.Event()
        tasks.append(asyncio.create_task(_keep_logging_in(port, requests[number % len(requests)], asked, answered)))
        if number % _AT_ONCE == 0:
            await asked.wait()
    await asked.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"answered": answered[0], "refused": answered[1]}), flush=True)


def main() -> None:
    """Log in until told to stop."""
    orders = json.loads(sys.stdin.readline())
    uvloop.run(_run(orders["port"], orders["people"], orders["logins"]))


if __name__ == "__main__":
    main()
