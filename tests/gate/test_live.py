"""A gate from outside: real servers, real load, short budgets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.test_lifecycle import ROOT, Command, descendants_of
from tests.waiting import wait_until

APPS = ROOT / "tests" / "apps"
COUNTED = f"{APPS}#counted:app"
LOAD = ["-f", str(APPS / "locust_counted.py"), "--users", "4"]
SHORT = ["--budget", "25s", "--window", "0.3", "--warmup", "0.1"]
COUNTS = ["--metric", "queries_per_request", "--metric", "checkouts_per_request"]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder, temporary = tmp_path_factory.mktemp("gate"), Path("/tmp") / f"h{os.getpid()}-gate"
    temporary.mkdir(mode=0o755)
    yield Command(folder, temporary)
    shutil.rmtree(temporary, ignore_errors=True)


def gated(command: Command, *arguments: str, out: str) -> tuple[int, Path]:
    code, _, errors = command.run("gate", *arguments, *LOAD, *SHORT, "--out", out)
    assert "Traceback" not in errors
    (folder,) = (command.folder / out).iterdir()
    return code, folder


def test_an_extra_query_is_a_regression_in_every_format(command: Command) -> None:
    code, folder = gated(command, COUNTED, COUNTED, "--env-b", "QUERIES=2", out="worse")
    document: dict[str, Any] = json.loads((folder / "gate.json").read_text())
    found = {f["metric"]["name"]: f for f in document["decision"]["findings"]}
    assert (code, document["verdict"], len(document["blocks"])) == (1, "regression", 4), "clear at the first look"
    assert (found["queries_per_request"]["a"], found["queries_per_request"]["b"]) == (1.0, 2.0)
    assert found["queries_per_request"]["change"] == "regression"
    assert found["checkouts_per_request"]["change"] == "equivalent"
    assert "queries per request (1 → 2)" in (folder / "gate.md").read_text()
    failed = [c.get("name") for c in ET.parse(folder / "junit.xml").iter("testcase") if c.find("failure") is not None]
    assert "queries per request" in failed
    smaller = {e["name"]: e["value"] for e in json.loads((folder / "smaller-is-better.json").read_text())}
    bigger = {e["name"] for e in json.loads((folder / "bigger-is-better.json").read_text())}
    assert (smaller["queries per request"], bigger) == (2.0, {"goodput"})
    (measures,) = json.loads((folder / "bencher.json").read_text()).values()
    assert measures["queries-per-request"]["value"] == 2.0


def test_the_same_app_twice_passes_on_counts(command: Command) -> None:
    code, folder = gated(command, COUNTED, COUNTED, *COUNTS, out="same")
    document = json.loads((folder / "gate.json").read_text())
    assert (code, document["verdict"], document["differs"]) == (0, "equivalent", [])


@pytest.mark.parametrize(
    ("fault", "words"),
    [("lacks", ["has not the routes", "/read"]), ("fails", ["alone", "already for one user", "503"])],
)
def test_versions_that_cannot_be_compared_are_refused(command: Command, fault: str, words: list[str]) -> None:
    arguments = [COUNTED, COUNTED, "--env-b", f"FAULT={fault}", *LOAD, *SHORT, "--out", f"refused-{fault}"]
    code, _, errors = command.run("gate", *arguments)
    assert (code, errors.count("\n"), [word for word in words if word not in errors]) == (2, 1, []), errors
    assert not list((command.folder / f"refused-{fault}").iterdir()), "nothing was measured, nothing is left"


def test_a_revision_is_checked_out_and_gone_afterwards(command: Command) -> None:
    project = command.folder / "project"
    project.mkdir()
    shutil.copy(APPS / "counted.py", project / "counted.py")

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=project, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one query")
    (project / "counted.py").write_text((APPS / "counted.py").read_text().replace('"QUERIES", "1"', '"QUERIES", "3"'))
    here = Command(project, command.temporary)
    code, output, errors = here.run("gate", "counted:app", "--base", "HEAD", *LOAD, *SHORT, *COUNTS)
    assert (code, errors) == (1, "")
    assert "queries per request (1 → 3)" in output
    assert git("worktree", "list").count("\n") == 1
    here.assert_nothing_left([])


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_end_under_way_leaves_nothing(command: Command, end: signal.Signals) -> None:
    out = f"ended-{end}"
    process = command.start("gate", COUNTED, COUNTED, *LOAD, "--budget", "60s", "--out", out)
    wait_until(lambda: len(list(command.folder.glob(f"{out}/*/logs/load.log"))) > 0, "the load has begun", 60)
    descendants = descendants_of(process)
    process.send_signal(end)
    process.communicate(timeout=60)
    assert process.returncode == (130 if end is signal.SIGINT else -signal.SIGKILL)
    command.assert_nothing_left(descendants)
