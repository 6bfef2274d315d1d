"""Whether a dependency's exit (the code after its yield) runs before or after the last byte of the response is sent."""

import asyncio
import inspect
import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse

events: list[str] = []
app = FastAPI()
SCOPES = "scope" in inspect.signature(Depends).parameters
FUNCTION: dict[str, Any] = {"scope": "function"} if SCOPES else {}


def resource() -> Iterator[str]:
    yield "resource"
    events.append("exit")


@app.get("/plain")
def plain(tasks: BackgroundTasks, value: Annotated[str, Depends(resource)]) -> str:
    tasks.add_task(events.append, "background")
    return value


@app.get("/streaming")
def streaming(value: Annotated[str, Depends(resource)]) -> StreamingResponse:
    return StreamingResponse(iter([value, value]))


@app.get("/function")
def function(value: Annotated[str, Depends(resource, **FUNCTION)]) -> str:
    return value


async def get(path: str) -> list[str]:
    """Asks the app for a path in memory, without a server; what happened, in order."""
    events.clear()
    request = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        return next(request, None) or await asyncio.Event().wait()  # the client never leaves

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            events.append("byte" if message.get("more_body") else "sent")

    known = {"http_version": "1.1", "scheme": "http", "query_string": b"", "headers": [], "root_path": ""}
    await app({"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), **known}, receive, send)
    return list(events)


def exit_against(what: str, path: str) -> str:
    order = asyncio.run(get(path))
    return "before" if order.index("exit") < order.index(what) else "after"


print(
    json.dumps(
        {
            "fastapi": version("fastapi"),
            "plain": exit_against("sent", "/plain"),
            "streaming": exit_against("sent", "/streaming"),
            "background": exit_against("background", "/plain"),
            "function_scope": exit_against("sent", "/function") if SCOPES else "not offered",
        }
    )
)
