"""A process beside the target that does its work in the background: the app's own function, until it is told to stop."""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from msgspec import msgpack


def run(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server. job: function "module:name", which takes nothing; app_dir, the folder to import it from.

    Says "ready" when the function is about to be called. Ends when its parent says so or is gone.
    """
    sys.path.insert(0, job["app_dir"])
    module, name = job["function"].split(":")
    function = getattr(import_module(module), name)
    channel.send_bytes(msgpack.encode({"kind": "ready"}))
    threading.Thread(target=_end_when_told, args=(channel,), daemon=True).start()
    function()


def _end_when_told(channel: Connection) -> None:
    channel.poll(None)  # a word, or the end of the channel
    os._exit(0)
