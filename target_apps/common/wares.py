"""The names of all that the shop has ever sold, for its search to compare with, and what the search answers."""

from itertools import product

from pydantic import BaseModel

SIZES = ("tiny", "small", "medium", "large", "huge")
COLOURS = ("red", "blue", "green", "white", "black", "grey", "amber", "ivory")
MATERIALS = ("oak", "pine", "steel", "copper", "glass", "wool", "linen", "clay", "marble", "wicker")
THINGS = ("kettle", "lamp", "chair", "teapot", "shelf", "rug", "clock", "bowl")

NAMES = [" ".join(words) for words in product(SIZES, COLOURS, MATERIALS, THINGS)]


class Suggestions(BaseModel):
    searched: str
    names: list[str]
