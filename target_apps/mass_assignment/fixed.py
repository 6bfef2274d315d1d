"""Lets customers open an account; they sign in by a link that is mailed to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.accounts import Account
from target_apps.common.schemas import Health
from target_apps.common.settings import settings

engine = create_async_engine(settings.async_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class AccountIn(BaseModel):
    email: str
    name: str


class AccountOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    name: str
    is_admin: bool


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


@app.post("/accounts", status_code=status.HTTP_201_CREATED, response_model=AccountOut)
async def open_account(wanted: AccountIn, session: Annotated[AsyncSession, Depends(get_db)]) -> Account:
    account = Account(**wanted.model_dump())
    session.add(account)
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409, "there is an account with this address") from None
    return account
