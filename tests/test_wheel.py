"""The wheel in an environment of the user's, in a folder that holds an app and nothing of this project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.wheel import Installed, build_wheel, install_beside_ours

pytestmark = pytest.mark.alone
APP = """
import time
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def read() -> str:
    time.sleep(0.02)
    return "ok"
"""
LOAD = """
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task
    def read(self):
        self.client.get("/")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment without anything that only the catalogue's apps need."""
    folder = tmp_path_factory.mktemp("wheel")
    catalogue_only = ("sqlalchemy", "asyncpg", "httpx", "pydantic_settings", "greenlet_")
    return install_beside_ours(build_wheel(folder / "dist"), folder / "env", catalogue_only)


def test_an_app_is_measured_without_the_catalogue_and_what_it_needs(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    (tmp_path / "load.py").write_text(LOAD)
    load = ["-f", "load.py", "--users", "5", "--seconds", "1", "--warmup", "0.3", "--blocks", "1"]
    ended = installed.harness("run", "main:app", *load, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "main.py:10 in read" in ended.stdout
    folder = tmp_path / "reports" / "latest"
    assert "sqlalchemy" not in json.loads((folder / "run.json").read_text())["machine"]["packages"]
    assert "main.py:10 in read" in (folder / "report.html").read_text()
    again = installed.harness("report", "--format", "md", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, (folder / "report.md").read_text())


@pytest.mark.parametrize("verb", ["list", "bench"])
def test_the_catalogue_is_missed_in_one_sentence(installed: Installed, tmp_path: Path, verb: str) -> None:
    ended = installed.harness(verb, cwd=tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "no catalogue here" in ended.stderr
    assert "`harness run`" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_check_of_the_machine_is_there_too(installed: Installed, tmp_path: Path) -> None:
    ended = installed.harness("check", cwd=tmp_path)
    assert ended.returncode == 0
    assert "free disk" in ended.stdout
