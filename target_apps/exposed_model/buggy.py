"""Shows accounts to those who have a link to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.accounts import Account
from target_apps.common.schemas import Health
from target_apps.common.settings import settings

engine = create_async_engine(settings.async_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = async_sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Accounts", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/accounts/{account_id}")
async def read_account(account_id: int, session: Annotated[AsyncSession, Depends(get_db)]):  # BUG
    account = await session.get(Account, account_id)
    if account is None:
        raise HTTPException(404, "no such account")
    return account
