"""Connections that 100 requests of 0.2 s need: arriving at 100 per second, and all 100 at once. Needs DATABASE_URL."""

import asyncio
import json
import os
import time

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

URL = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg")
RATE, HOLD_S, SECONDS = 100, 0.2, 3.0


async def request(engine: AsyncEngine) -> float:
    """Holds a connection for HOLD_S; returns how long it had to wait for it, in seconds."""
    asked = time.monotonic()
    async with engine.connect() as connection:
        waited = time.monotonic() - asked
        await connection.execute(text(f"SELECT pg_sleep({HOLD_S})"))
    return waited


async def by_the_second() -> dict[str, float]:
    engine = create_async_engine(URL, pool_size=60, max_overflow=0)
    await asyncio.gather(*(request(engine) for _ in range(40)))  # opens connections
    start, held, tasks = time.monotonic(), [], []
    for n in range(int(RATE * SECONDS)):
        await asyncio.sleep(start + n / RATE - time.monotonic())
        tasks.append(asyncio.create_task(request(engine)))
        if n > RATE:  # the first second fills the pipe
            held.append(engine.pool.checkedout())  # type: ignore[attr-defined]
    took = time.monotonic() - start
    await asyncio.gather(*tasks)
    await engine.dispose()
    return {"arrivals_rps": len(tasks) / took, "connections_mean": sum(held) / len(held), "connections_max": max(held)}


async def at_once() -> dict[str, float]:
    engine = create_async_engine(URL, pool_size=20, max_overflow=0)
    await asyncio.gather(*(request(engine) for _ in range(20)))  # opens connections
    waits = await asyncio.gather(*(request(engine) for _ in range(100)))
    await engine.dispose()
    return {"pool": 20, "waited_share": sum(w > HOLD_S / 2 for w in waits) / len(waits), "longest_wait_s": max(waits)}


async def main() -> dict[str, object]:
    return {"by_the_second": await by_the_second(), "at_once": await at_once()}


print(json.dumps({"hold_s": HOLD_S, "law": RATE * HOLD_S, **asyncio.run(main())}))
