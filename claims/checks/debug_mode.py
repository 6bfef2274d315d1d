"""What asyncio's debug mode logs of blocking calls in async routes, and whether it names their line. Needs uvicorn."""

import asyncio
import inspect
import json
import logging
import re
import time
import urllib.request
from pathlib import Path

import uvicorn
from fastapi import FastAPI

app = FastAPI()
messages: list[str] = []


@app.get("/long")
async def long() -> None:
    time.sleep(0.15)  # noqa: ASYNC251


@app.get("/short")
async def short() -> None:
    time.sleep(0.04)  # noqa: ASYNC251


@app.get("/many")
async def many() -> None:
    for _ in range(4):
        time.sleep(0.04)  # noqa: ASYNC251


class Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if "took" in record.getMessage():
            messages.append(record.getMessage())


async def main() -> dict[str, object]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", loop="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    facts: dict[str, object] = {"threshold_s": asyncio.get_running_loop().slow_callback_duration}
    for path, route in (("long", long), ("short", short), ("many", many)):
        await asyncio.sleep(0.05)
        messages.clear()
        await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/{path}")
        await asyncio.sleep(0.05)
        lines, first = inspect.getsourcelines(route)
        named = [int(line) for text in messages for line in re.findall(rf"{Path(__file__).name}:(\d+)", text)]
        facts[path] = {
            "warnings": len(messages),
            "file_named": bool(named),
            "line_named": any(first + 2 <= line < first + len(lines) for line in named),
            "task_named": (re.findall(r"coro=<(\S+)", " ".join(messages)) or ["none"])[0],
        }
    server.should_exit = True
    await serving
    return facts


logging.getLogger("asyncio").addHandler(Keep())
print(json.dumps(asyncio.run(main(), debug=True)))
