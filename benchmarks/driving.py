"""One load against one light server, without the rest of a trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.forkserver import Child, ForkServer, Message, send
from harness.record import Workload

ROOT = Path(__file__).resolve().parent.parent
LOCUSTFILE = ROOT / "benchmarks/apps/locust_empty.py"
LAST = ("done", "failed", "lost")


class Row(NamedTuple):
    """A request as the load process reports it (the columns of harness.load.recorder); times in monotonic seconds."""

    sequential: bool
    kind: str
    seq: int
    name: str
    intended_s: float
    sent_s: float
    done_s: float | None
    status: int | None
    outcome: str
    bytes: int | None
    error: str | None
    digest: str | None


@dataclass(frozen=True)
class Driven:
    """What a load process said: its rows, and its last message."""

    rows: list[Row]
    last: Message

    @property
    def window(self) -> list[Row]:
        """The rows of load meant for the window."""
        start_s, end_s = self.last["window_start_s"], self.last["end_s"]
        return [row for row in self.rows if row.kind == "load" and start_s <= row.intended_s < end_s]


@dataclass(frozen=True)
class LightServer:
    child: Child
    url: str

    def stall(self, after_s: float, for_s: float) -> None:
        """Blocks the server's loop for so long, that long after the next request comes in."""
        send(self.child.channel, {"kind": "stall", "after_s": after_s, "for_s": for_s})

    def answers(self) -> int:
        """How many requests it has answered so far."""
        send(self.child.channel, {"kind": "tell"})
        told = self.child.receive(20)
        assert told is not None, "the light server does not answer"
        return int(told["answers"])


@contextmanager
def light_server(forks: ForkServer, log: Path) -> Iterator[LightServer]:
    """benchmarks.apps.fixed_answer in a process of its own."""
    child = forks.spawn("benchmarks.apps.fixed_answer:serve", {}, log=log, cwd=ROOT)
    ready = child.receive(20)
    assert ready is not None, "the light server did not start"
    try:
        yield LightServer(child, f"http://127.0.0.1:{ready['port']}")
    finally:
        child.stop()


def start_load(
    loads: ForkServer, host: str, workload: Workload, log: Path, *, main: str = "harness.load.main:run", **job: Any
) -> Child:
    """Starts a load process; ``job`` overrides what is given to it otherwise."""
    plan = {
        "locustfile": str(LOCUSTFILE), "host": host, "seed": 1, "workload": asdict(workload), "workers": 1,
        "sequential_tasks": 0, "warmup_s": 0.5, "window_s": 2.0, "drain_s": 2.0,
    }  # fmt: skip
    return loads.spawn(main, plan | job, log=log, cwd=ROOT)


def collect(load: Child, limit_s: float = 60.0) -> Driven:
    """All that a load process says until its last message, which it must say before it ends."""
    rows: list[Row] = []
    while True:
        message = load.receive(limit_s)
        assert message is not None, f"the load process said nothing for {limit_s} s"
        rows += [Row(*row) for row in message.get("rows", [])]
        if message["kind"] in LAST:
            load.stop()
            return Driven(rows, message)


def drive(loads: ForkServer, host: str, workload: Workload, log: Path, **job: Any) -> Driven:
    """Starts a load process and collects what it says."""
    limit_s = 60.0 + float(job.get("window_s", 2.0))
    return collect(start_load(loads, host, workload, log, **job), limit_s)
