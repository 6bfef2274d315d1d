"""A load process of which one worker never comes."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import gevent

from harness.load import main, master
from harness.load.worker import work

Life = Callable[[dict[str, Any], Callable[[], int]], None]


def run(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server."""
    lives: list[Life] = [work, deaf]
    fork = vars(master)["fork_leashed"]

    def fork_next(_: Any, *others: Any) -> Any:
        life = lives.pop(0)
        return fork(lambda port: life(job, port), *others)

    vars(master)["fork_leashed"] = fork_next
    main.run(job, channel)


def deaf(job: dict[str, Any], master_port: Callable[[], int]) -> None:
    master_port()
    gevent.sleep(60)
