"""A server as the keeper holds it, whichever provider it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Provided:
    """A server that is ready.

    restart: what a restart under load is here, given the name of the database that feels it. It returns when the server answers
    again, and raises SetupError when it does not.
    """

    url: str  # as a role that may create databases
    restart: Callable[[str], None]
