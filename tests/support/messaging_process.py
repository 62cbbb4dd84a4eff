"""One process of the little platform, to be killed: `python -m tests.support.messaging_process URL ROLE [AMQP_URL PREFIX]`.

Runs every service on the local transport, or on RabbitMQ when that is given. Handlers dawdle a little, so that a kill finds
them anywhere. Prints `ready` and runs until it is killed.
"""

import asyncio
import random
import sys
from typing import Any

from shared.messaging.consumer import Delivery
from shared.messaging.local import LocalTransport
from shared.messaging.rabbitmq import RabbitTransport
from tests.support.messaging import Platform, little


async def dawdle(delivery: Delivery[Any]) -> None:
    """Hold the transaction open for a moment."""
    await asyncio.sleep(random.uniform(0, 0.01))


async def main(url: str, role: str, amqp_url: str = "", prefix: str = "") -> None:
    """Start everything and wait for the end."""
    platform = Platform(url, *(little(name, url, role) for name in ("sender", "receiver", "bystander")))
    for service in platform.services:
        service.context.before = dawdle
    transport = RabbitTransport(amqp_url, prefix=prefix) if amqp_url else LocalTransport()
    await platform.worker(transport).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
