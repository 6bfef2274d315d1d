"""Round trips that pre-ping adds to a checkout, counted on the wire between driver and server. Needs DATABASE_URL."""

import asyncio
import json
import os
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

URL = make_url(os.environ["DATABASE_URL"])
SOCKET = f"{URL.query['host']}/.s.PGSQL.{URL.query.get('port', '5432')}"
CHECKOUTS = 20
trips: list[int] = []  # the server's ReadyForQuery: it has answered and waits
statements: list[str] = []  # the client's Query and Parse messages


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_client: bool) -> None:
    """Passes messages on: one byte for the kind, four for the length. The client's first one has no kind."""
    first = from_client
    while True:
        try:
            kind = b"" if first else await reader.readexactly(1)
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length, "big") - 4)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        first = False
        if not from_client and kind == b"Z":
            trips.append(1)
        if from_client and kind in b"QP" and kind:
            statements.append(body.split(b"\0")[kind == b"P"].decode())
        writer.write(kind + length + body)


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    server_reader, server_writer = await asyncio.open_unix_connection(SOCKET)
    await asyncio.gather(relay(reader, server_writer, True), relay(server_reader, writer, False))


async def count(driver: str, folder: str, pre_ping: bool) -> dict[str, object]:
    url = URL.set(drivername=f"postgresql+{driver}").update_query_dict({"host": folder, "port": "5432"})
    engine = create_async_engine(url, pool_size=1, pool_pre_ping=pre_ping)
    async with engine.connect():
        pass  # opens the connection
    trips.clear()
    statements.clear()
    for _ in range(CHECKOUTS):
        async with engine.connect():
            pass
    facts = {"round_trips": len(trips) / CHECKOUTS, "statements": sorted(set(statements))}
    await engine.dispose()
    return facts


async def main() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        server = await asyncio.start_unix_server(accept, Path(folder, ".s.PGSQL.5432"))
        facts: dict[str, object] = {}
        for driver in ("psycopg", "asyncpg"):
            pinged, plain = await count(driver, folder, True), await count(driver, folder, False)
            facts[driver] = {"pinged": pinged, "plain": plain}
        server.close()
    return facts


print(json.dumps(asyncio.run(main())))
