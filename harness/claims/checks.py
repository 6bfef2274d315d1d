"""Runs check programs, each in a folder of its own, and gathers their facts."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness.claims.evidence import CheckEvidence, Facts
from harness.claims.ledger import Check, Ledger, program
from harness.errors import SetupError
from harness.postgres.databases import Databases
from harness.postgres.server import start_postgres

STOP_S = 120.0  # a virtual environment has thousands of files to remove


@dataclass(kw_only=True)
class Refreshed:
    """What running checks brought: evidence of those that worked, a sentence on each of those that did not."""

    evidence: dict[str, CheckEvidence] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def refresh(root: Path, ledger: Ledger, names: Sequence[str], tell: Callable[[str], None]) -> Refreshed:
    """Runs the named checks, one after the other; ``tell`` hears of each as it begins.

    Raises SetupError when Postgres cannot be had for those that need it.
    """
    refreshed = Refreshed()
    with _databases(any(ledger.check[name].postgres for name in names)) as new_database:
        for name in names:
            tell(name)
            check = ledger.check[name]
            env = {"DATABASE_URL": new_database(name)} if check.postgres else {}
            try:
                refreshed.evidence[name] = _run_check(check, program(root, name), env)
            except _CheckFailed as failure:
                refreshed.failed[name] = f"the check {name} failed: {failure}"
    return refreshed


class _CheckFailed(Exception):
    pass


@contextmanager
def _databases(needed: bool) -> Iterator[Callable[[str], str]]:
    """A function that makes an empty database and returns its URL, on a server that ends with the context."""
    if not needed:
        yield lambda label: ""
        return
    token = uuid4().hex[:12]
    with start_postgres("embedded", run_token=token) as server:
        databases = Databases(server.url, run_token=token)
        databases.create_template(lambda url: None)
        yield databases.clone


def _run_check(check: Check, path: Path, env: dict[str, str]) -> CheckEvidence:
    job = {"program": str(path.resolve()), "time_limit_s": check.time_limit_s, "env": env}
    if not check.environments:
        facts = _ask_keeper({**job, "install": None})["facts"]
        packages = {name: _installed(name) for name in check.packages}
    else:
        answers = {name: _ask_keeper({**job, "install": wanted}) for name, wanted in check.environments.items()}
        facts = {name: answer["facts"] for name, answer in answers.items()}
        packages = {name: _over([a["packages"].get(name) for a in answers.values()]) for name in check.packages}
    return _evidence(facts, packages)


def _evidence(facts: Facts, packages: dict[str, str]) -> CheckEvidence:
    today = datetime.now(UTC).date().isoformat()
    return CheckEvidence(facts=facts, measured=today, python=platform.python_version(), packages=packages)


def _ask_keeper(job: dict[str, Any]) -> dict[str, Any]:
    """A keeper's answer to one job. Raises _CheckFailed; SetupError when the keeper itself does not end."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "harness.claims.keeper"],
        cwd=Path(__file__).parents[2],  # from where the harness can be imported
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdin is not None and keeper.stdout is not None
    try:
        keeper.stdin.write(json.dumps(job) + "\n")
        keeper.stdin.flush()
        line = keeper.stdout.readline()
    finally:
        with suppress(BrokenPipeError):
            keeper.stdin.close()
        try:
            keeper.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise SetupError(
                f"a check is not cleaned up after {STOP_S:.0f} s; process {keeper.pid} still tries"
            ) from None
        keeper.stdout.close()
    answer: dict[str, Any] = json.loads(line) if line else {"error": "the process that runs it ended without a word"}
    if "error" in answer:
        raise _CheckFailed(answer["error"])
    return answer


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _over(versions: Sequence[str | None]) -> str:
    return ", ".join(dict.fromkeys(v for v in versions if v)) or "not installed"
