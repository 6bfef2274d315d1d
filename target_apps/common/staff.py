"""The staff who may sign in, as the password file keeps them: a salt and the scrypt digest of each password."""

import base64
from typing import Annotated

from pydantic import BaseModel, Field, NonNegativeInt

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1


class SignIn(BaseModel):
    name: str
    password: Annotated[str, Field(max_length=200)]


class SignedIn(BaseModel):
    name: str
    orders_to_pack: NonNegativeInt


class Account(BaseModel):
    salt: bytes
    digest: bytes
    orders_to_pack: NonNegativeInt


def _account(salt: str, digest: str, orders_to_pack: int) -> Account:
    return Account(salt=salt.encode(), digest=base64.b64decode(digest), orders_to_pack=orders_to_pack)


# The password of each is "the <name> packs 12 kettles".
ACCOUNTS = {
    "ada": _account("shop-ada-2024", "RuEsdFxt+ChDtxDg/RfE12omhV2FSnGRcdYPGgTm4Ts=", 3),
    "bruno": _account("shop-bruno-2024", "yvCnpGvv/ikbuooXK3DB5vxB3k6AyzWgNYUOIw2CaUQ=", 7),
    "chloe": _account("shop-chloe-2024", "oubsLm+/xmkLamh3NUXagqHG6HO8GitCPDG0khc/y6k=", 11),
    "dag": _account("shop-dag-2024", "KxYyU4vVMCjenJd5EEws8pM8Kmv3zKrHEyRizsnl9Zc=", 15),
}
