"""The departments of the shop, and what a search in one of them answers."""

from collections.abc import Sequence

from pydantic import BaseModel

from target_apps.common.wares import NAMES


class Found(BaseModel):
    words: list[str]
    names: list[str]


def find(words: Sequence[str]) -> Found:
    """The first five wares whose names hold all the words."""
    names = (name for name in NAMES if all(word in name for word in words))
    return Found(words=list(words), names=[name for name, _ in zip(names, range(5), strict=False)])
