"""An app of the user's own -> a plan: the same trial, probe, store and report as a pair gets, without expectations."""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from harness.bench import BenchPlan
from harness.errors import UsageError
from harness.load_source import LoadSource
from harness.record import Pair, Profile, Variant, Workload
from harness.staging import Subject

VARIANT = "app"
DRAIN_S = 5.0
SEQUENTIAL_TASKS = 2
MOST_USERS, MOST_RATE_RPS, MOST_SECONDS, MOST_BLOCKS = 10_000, 100_000.0, 86_400.0, 100
REACH_LIMIT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class OwnApp:
    """What the user asked for, as it stands on the command line; None: not given."""

    target: str
    locustfile: Path
    users: int | None = None
    rate_rps: float | None = None
    arrivals: str | None = None
    think_s: float | None = None
    canary: str | None = None
    seconds: float = 10.0
    warmup_s: float = 2.0
    blocks: int = 2
    app_dir: Path | None = None
    env: Sequence[str] = ()
    factory: bool = False
    port: int = 0
    load: LoadSource = field(default_factory=LoadSource)

    @property
    def url(self) -> bool:
        return "://" in self.target


def own_plan(own: OwnApp, *, out: Path, seed: int, command: str) -> BenchPlan:
    """The plan that measures it. Raises UsageError, which names the flag, for whatever cannot be used."""
    workload = _workload(own)
    _require("--seconds", own.seconds, above=0.0, most=MOST_SECONDS)
    _require("--warmup", own.warmup_s, least=0.0, most=MOST_SECONDS)
    _require("--blocks", own.blocks, least=1, most=MOST_BLOCKS)
    subject = _subject(own)
    pair = _pair(own, workload)
    return BenchPlan(
        pairs=[pair],
        subjects={(pair.name, VARIANT): subject},
        profile=Profile(
            name="own",
            warmup_s=own.warmup_s,
            window_s=own.seconds,
            blocks=own.blocks,
            drain_s=DRAIN_S,
            sequential_tasks=SEQUENTIAL_TASKS,
        ),
        postgres=None,
        catalogue=None,
        out=out,
        seed=seed,
        command=command,
        port=own.port,
        load=own.load,
    )


def _workload(own: OwnApp) -> Workload:
    if own.users is None and own.rate_rps is None:
        raise UsageError(
            "say how much load to send: --users N for users who wait for their answers, or --rate R a second"
        )
    _require("--users", own.users, least=1, most=MOST_USERS)
    if own.canary is not None and not own.canary.startswith("/"):
        raise UsageError(f"--canary {own.canary!r} must be the path of a light route, such as /health")
    if own.rate_rps is None:
        if own.arrivals is not None:
            raise UsageError("--arrivals says how requests arrive at a --rate; without one, leave it out")
        _require("--think", own.think_s, least=0.0, most=MOST_SECONDS)
        return Workload(users=own.users or 1, think_s=own.think_s, canary=own.canary)
    _require("--rate", own.rate_rps, above=0.0, most=MOST_RATE_RPS)
    if own.think_s is not None:
        raise UsageError("--think is a pause of users who wait for their answers; with a --rate, leave it out")
    if own.arrivals not in (None, "poisson", "even"):
        raise UsageError(f"--arrivals {own.arrivals!r} does not exist; choose poisson or even")
    return Workload(
        model="open",
        users=own.users or most_in_flight(own.rate_rps),
        rate_rps=own.rate_rps,
        arrivals=own.arrivals or "poisson",
        canary=own.canary,
    )


def most_in_flight(rate_rps: float) -> int:
    """Enough for answers that take 2 s (Little's law: in flight = rate × time), within 50 to 1000."""
    return max(50, min(1000, math.ceil(2 * rate_rps)))


def _require(
    flag: str, value: float | None, *, least: float | None = None, above: float | None = None, most: float
) -> None:
    if value is None:
        return
    low = math.isfinite(value) and (value >= least if least is not None else value > (above or 0.0))
    if not (low and value <= most):
        bound = f"at least {least:g}" if least is not None else f"more than {above or 0.0:g}"
        raise UsageError(f"{flag} {value:g} cannot be used; give {bound} and at most {most:g}")


def _subject(own: OwnApp) -> Subject:
    if not own.locustfile.is_file():
        raise UsageError(f"--locustfile {own.locustfile} does not exist")
    locustfile = own.locustfile.resolve()
    if own.url:
        _reachable(own)
        return Subject(target=own.target.rstrip("/"), app_dir=Path.cwd(), locustfile=locustfile)
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*", own.target):
        raise UsageError(
            f"TARGET {own.target!r} is neither module:app, such as shop.main:app, nor a URL, such as http://127.0.0.1:8000"
        )
    app_dir = own.app_dir or Path()
    if not app_dir.is_dir():
        raise UsageError(f"--app-dir {app_dir} is not a folder")
    return Subject(
        target=own.target,
        app_dir=app_dir.resolve(),
        locustfile=locustfile,
        env=_environment(own.env),
        factory=own.factory,
    )


def _environment(settings: Sequence[str]) -> Mapping[str, str]:
    env = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--env {name!r} has no value; write --env NAME=VALUE")
        env[name] = value
    return env


def _reachable(own: OwnApp) -> None:
    """Raises UsageError when the URL cannot be used, or nothing listens there."""
    flags = {"--app-dir": own.app_dir, "--env": own.env, "--factory": own.factory, "--port": own.port}
    if useless := [flag for flag, value in flags.items() if value]:
        raise UsageError(f"{useless[0]} says how to start an app; the one at a URL runs already, so leave it out")
    host, port = _address(own.target)
    try:
        socket.create_connection((host, port), timeout=REACH_LIMIT_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"TARGET {shown(own.target)} does not answer ({reason}); start it first") from error


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"TARGET {shown(url)} is not a URL that can be used: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError(f"TARGET {shown(url)} cannot be used; write http://HOST:PORT or https://HOST:PORT")
    return host, port or (443 if parts.scheme == "https" else 80)


def shown(url: str) -> str:
    """A URL without what may be secret in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return repr(url.rpartition("@")[2])
    return SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "").geturl()


def _pair(own: OwnApp, workload: Workload) -> Pair:
    """The app as a pair of one variant, of which nothing is known beforehand."""
    name = shown(own.target) if own.url else own.target
    where = "measured from outside, without the probe" if own.url else "started under the probe"
    return Pair(
        name=re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or VARIANT,
        title=name,
        question="",
        theme="",
        lesson="",
        look_for="",
        sources=(),
        claims=(),
        variants={
            VARIANT: Variant(name=VARIANT, summary=where, cause=None, source="", file="", bug_line=None),
        },
        settings={},
        workload=workload,
        scenario=str(own.locustfile),
    )
