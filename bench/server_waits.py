"""As a child: what the server does for the poster, looked at some hundred times a second.

Between statements a connection waits for its client. During one, it computes, or waits for something that PostgreSQL names.
"""

import asyncio
import time
from collections import Counter

import asyncpg

from bench import children

_EVERY_SECONDS = 0.005
_QUERY = """
SELECT CASE
    WHEN state = 'active' AND wait_event IS NULL THEN 'computing'
    WHEN state = 'active' THEN wait_event_type || ' ' || wait_event
    ELSE 'between statements' END AS what, count(*)
FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database() GROUP BY 1
"""


async def _look(url: str, application: str, seconds: float) -> dict[str, float]:
    connection = await asyncpg.connect(url, timeout=10)
    seen: Counter[str] = Counter()
    looks = 0
    try:
        # They connect when they have something to do.
        while not await connection.fetch(_QUERY, application):  # noqa: ASYNC110 it is the server that is asked
            await asyncio.sleep(_EVERY_SECONDS)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            looks += 1
            for what, count in await connection.fetch(_QUERY, application):
                seen[what] += count
            await asyncio.sleep(_EVERY_SECONDS)
    finally:
        await connection.close()
    return {what: count / max(looks, 1) for what, count in seen.most_common()}


def main() -> None:
    """As a child: the mean number of the application's connections in each state."""
    orders = children.orders()
    children.answer(asyncio.run(_look(orders["url"], orders["application"], orders["seconds"])))


if __name__ == "__main__":
    main()
