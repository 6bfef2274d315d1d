"""The shop's service: its catalogue, its customers and their orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from target_apps.service.layered.database import engine
from target_apps.service.layered.errors import NotFoundError, UnknownTokenError
from target_apps.service.layered.routes import router


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=5) as client:
        app.state.client = client
        yield
    await engine.dispose()


app = FastAPI(title="Shop", lifespan=lifespan)
app.include_router(router)


@app.exception_handler(NotFoundError)
async def not_found(_: Request, error: NotFoundError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


@app.exception_handler(UnknownTokenError)
async def unknown_token(_: Request, error: UnknownTokenError) -> JSONResponse:
    return JSONResponse({"detail": "unknown token"}, status_code=401)
