"""Which Pydantic the installed FastAPI asks for, which it got, and whether a route with a model works on it."""

import json
from importlib.metadata import requires, version

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str


@app.post("/items")
def make(item: Item) -> Item:
    return item


wanted = [line.split(";")[0].strip() for line in requires("fastapi") or [] if line.lower().startswith("pydantic")]
print(
    json.dumps(
        {
            "fastapi": version("fastapi"),
            "pydantic": version("pydantic"),
            "asks_for": wanted[0],
            "model_in_openapi": "Item" in app.openapi()["components"]["schemas"],
        }
    )
)
