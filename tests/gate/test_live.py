"""A gate from outside: real servers, real load, short budgets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate.live import GatePlan, servers
from harness.gate.versions import own_version
from harness.own import OwnApp
from harness.placement import side_by_side_here
from tests.test_lifecycle import ROOT, Command, descendants_of
from tests.waiting import wait_until

APPS = ROOT / "tests" / "apps"
COUNTED = f"{APPS}#counted:app"
LOAD = ["-f", str(APPS / "locust_counted.py"), "--users", "4"]
SHORT = ["--budget", "25s", "--window", "0.2", "--warmup", "0.1"]
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


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no process to a core")
def test_all_servers_of_a_gate_are_kept_to_the_same_processors(tmp_path: Path) -> None:
    own = OwnApp(target="", locustfile=APPS / "locust_counted.py", users=1)
    version = own_version(COUNTED, own)
    with servers(GatePlan(a=version, b=version, logs=tmp_path)) as arms:
        pids = [child.pid for arm in arms.values() for child in arm.stage.targets]
        threads = [int(task.name) for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
        kept_to = {frozenset(os.sched_getaffinity(thread)) for thread in threads}
    assert len(pids) == 3
    place = side_by_side_here()
    assert kept_to == {frozenset(place.target) if place else frozenset(os.sched_getaffinity(0))}


def test_the_same_app_twice_passes_on_counts(command: Command) -> None:
    code, folder = gated(command, COUNTED, COUNTED, *COUNTS, out="same")
    document = json.loads((folder / "gate.json").read_text())
    assert (code, document["verdict"], document["differs"]) == (0, "equivalent", [])


@pytest.mark.parametrize(
    ("fault", "words"),
    [("lacks", ["has not the routes", "/read"])],
)
def test_versions_that_cannot_be_compared_are_refused(command: Command, fault: str, words: list[str]) -> None:
    arguments = [COUNTED, COUNTED, "--env-b", f"FAULT={fault}", *LOAD, *SHORT, "--out", f"refused-{fault}"]
    code, _, errors = command.run("gate", *arguments)
    assert (code, errors.count("\n"), [word for word in words if word not in errors]) == (2, 1, []), errors
    assert not (command.folder / f"refused-{fault}").exists(), "nothing was measured, nothing is left"


def test_an_extra_query_since_a_revision_is_a_regression_in_every_format(command: Command) -> None:
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
    code, output, errors = here.run("gate", "counted:app", "--base", "HEAD", *LOAD, *SHORT, "--out", "out")
    assert (code, errors) == (1, "")
    assert "queries per request (1 → 3)" in output
    assert git("worktree", "list").count("\n") == 1
    here.assert_nothing_left([])
    (folder,) = (project / "out").iterdir()
    document: dict[str, Any] = json.loads((folder / "gate.json").read_text())
    found = {f["metric"]["name"]: f for f in document["decision"]["findings"]}
    assert (document["verdict"], len(document["blocks"])) == ("regression", 3), "clear at the first look"
    assert (found["queries_per_request"]["a"], found["queries_per_request"]["b"]) == (1.0, 3.0)
    assert found["queries_per_request"]["change"] == "regression"
    assert found["checkouts_per_request"]["change"] == "equivalent"
    assert "queries per request (1 → 3)" in (folder / "gate.md").read_text()
    failed = [c.get("name") for c in ET.parse(folder / "junit.xml").iter("testcase") if c.find("failure") is not None]
    assert "queries per request" in failed


def test_a_killed_gate_leaves_nothing_running(command: Command) -> None:
    out = "killed"
    process = command.start("gate", COUNTED, COUNTED, *LOAD, "--budget", "60s", "--out", out)
    wait_until(lambda: len(list(command.folder.glob(f"{out}/*/logs/load.log"))) > 0, "the load has begun", 60)
    descendants = descendants_of(process)
    process.kill()
    process.communicate(timeout=60)
    command.assert_nothing_left(descendants)
