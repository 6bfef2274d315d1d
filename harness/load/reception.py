"""Where workers from other machines come to: each is told the time and, while there is room, given its job."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from locust import __version__ as locust_version
from locust.runners import MasterRunner

from harness import __version__

HELLO = "harness hello"  # the type of messages from workers that have no part in the load yet
VERSIONS = {"harness": __version__, "locust": locust_version}


class Reception:
    """Answers on Locust's channel, where a worker counts as one of Locust's only once it has the job and comes back."""

    def __init__(self, runner: MasterRunner, job: dict[str, Any], places: int) -> None:
        file = Path(job["locustfile"])
        self._runner = runner
        folder = os.path.relpath(file.parent)  # workers are started where the master was, in a checkout of their own
        self._job = {**job, "locustfile": file.name, "folder": folder, "source": file.read_text(encoding="utf-8")}
        self._job.pop("master")
        self._places = places
        self._let_in: set[str] = set()
        self.refused: str | None = None  # why a worker was not let in
        runner.register_message(HELLO, self._answer)

    def _answer(self, msg: Any, **_: Any) -> None:
        if msg.data["kind"] == "time":
            self._tell(msg.node_id, kind="time", asked_s=msg.data["asked_s"], now_s=time.monotonic())
        elif msg.data["versions"] != VERSIONS:
            self.refused = f"a worker has {_words(msg.data['versions'])}, the master {_words(VERSIONS)}"
            self._tell(msg.node_id, kind="refused", error=self.refused)
        elif msg.node_id in self._let_in or len(self._let_in) < self._places:
            self._let_in.add(msg.node_id)
            self._tell(msg.node_id, kind="job", job=self._job)
        else:
            self._tell(msg.node_id, kind="full")

    def _tell(self, worker: str, **content: Any) -> None:
        self._runner.send_message(HELLO, content, client_id=worker)


def _words(versions: dict[str, str]) -> str:
    return " and ".join(f"{name} {version}" for name, version in versions.items())
