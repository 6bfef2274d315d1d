"""What an app leaves to its libraries, set from outside where a pair's settings ask for something else than they would do.

An app that says how many threads or connections it wants keeps them: only defaults are changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import cast

# anyio's limiter of to_thread.run_sync, which Starlette's `def` routes go through, and SQLAlchemy's QueuePool.
DEFAULTS = {"thread_tokens": 40, "default_pool_size": 5, "default_max_overflow": 10}


def asked(settings: Mapping[str, float]) -> dict[str, int]:
    """Which of the libraries' defaults a pair's settings want otherwise, and how."""
    return {name: int(settings[name]) for name, usual in DEFAULTS.items() if settings.get(name, usual) != usual}


def set_pool_defaults(wanted: Mapping[str, int]) -> None:
    """From now on a queue pool whose engine names no size, or no overflow, gets what is wanted."""
    if "default_pool_size" not in wanted and "default_max_overflow" not in wanted:
        return
    from sqlalchemy.pool import QueuePool

    init = cast("FunctionType", QueuePool.__init__)
    usual = init.__defaults__ or ()
    names = inspect.getfullargspec(init).args[-len(usual) :]
    init.__defaults__ = tuple(wanted.get(f"default_{name}", value) for name, value in zip(names, usual, strict=True))


def set_thread_tokens(wanted: Mapping[str, int]) -> None:
    """To be called on the loop whose threads are meant."""
    if "thread_tokens" in wanted:
        from anyio.to_thread import current_default_thread_limiter

        current_default_thread_limiter().total_tokens = wanted["thread_tokens"]
