"""
A process of its own that sends wrong passwords at a steady rate, and tells how they were answered.

``python -m tests.perf.flooding PORT PATH RATE SECONDS ADDRESSES USERS``
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections import Counter

from .client import Connection

_CONNECTIONS = 320
"""More than wait for a check at all workers of a server, so that there are always some left to ask on."""


async def flood(port: int, path: str, *, rate: int, seconds: float, addresses: int, users: int) -> Counter[int]:
    """
    Send the passwords, each another one, and count the answers by status.

    Args:
        port: Of the server, on the loopback address.
        path: What is asked for.
        rate: Requests per second, of all connections together.
        seconds: How long.
        addresses: From how many addresses they seem to come, by ``X-Forwarded-For``; 0 for none but the real one.
        users: They are tried in turn; every second one does not exist.
    """
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def client(first: int) -> None:
        async with Connection(port) as connection:
            for number in range(first, int(rate * seconds), _CONNECTIONS):
                await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
                if loop.time() > began + seconds:
                    return  # what is late by more than the whole is not sent any more
                answer = await connection.get(path, _headers(number, addresses, users))
                statuses[answer.status] += 1

    await asyncio.gather(*(client(first) for first in range(_CONNECTIONS)))
    return statuses


def _headers(number: int, addresses: int, users: int) -> dict[str, str]:
    name = f"user{number // 2 % users}" if number % 2 else f"nobody{number}"
    basic = base64.b64encode(f"{name}:wrong password {number}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Accept": "text/html"}
    if addresses:
        high, low = divmod(number % addresses, 250)
        headers["X-Forwarded-For"] = f"198.18.{high}.{low}"
    return headers


def main() -> None:
    """Flood, and print the counts as JSON."""
    port, path, rate, seconds, addresses, users = sys.argv[1:]
    counts = asyncio.run(
        flood(int(port), path, rate=int(rate), seconds=float(seconds), addresses=int(addresses), users=int(users))
    )
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
