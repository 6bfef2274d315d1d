"""Lets the staff sign in."""

import asyncio
import hashlib
import hmac

from fastapi import FastAPI, HTTPException

from target_apps.common.schemas import Health
from target_apps.common.staff import ACCOUNTS, SCRYPT_N, SCRYPT_P, SCRYPT_R, SignedIn, SignIn

app = FastAPI(title="Staff")


@app.get("/health")
async def health() -> Health:
    return Health()


def digest_of(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, dklen=32)


@app.post("/sign-in")
async def sign_in(wanted: SignIn) -> SignedIn:
    account = ACCOUNTS.get(wanted.name)
    if account is None:
        raise HTTPException(401, "wrong name or password")
    digest = await asyncio.to_thread(digest_of, wanted.password, account.salt)
    if not hmac.compare_digest(digest, account.digest):
        raise HTTPException(401, "wrong name or password")
    return SignedIn(name=wanted.name, orders_to_pack=account.orders_to_pack)
