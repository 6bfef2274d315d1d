"""`harness report` and `harness compare` on a stored run: the same bytes each time, and one sentence for what cannot be read."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.judgement import RunVerdict
from harness.record import Run
from harness.store import RunData, RunWriter

Sample = tuple[Run, RunVerdict, RunData]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(sample: Sample, tmp_path: Path) -> Path:
    """The made-up run, stored."""
    run, _, data = sample
    writer = RunWriter(tmp_path / "run")
    for name in ("requests", "samples", "postgres"):
        writer.add(name, getattr(data, name))
    writer.finish(run)
    return tmp_path / "run"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command in this process: its exit code, and what it said."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return call


def test_the_views_are_the_same_bytes_in_another_process_and_another_place(folder: Path) -> None:
    seen = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "COLUMNS": "100"}
        done = subprocess.run(
            [sys.executable, "-m", "harness", "report", str(folder)], env=environment, capture_output=True, timeout=60
        )
        assert done.returncode in (0, 1, 3), done.stderr
        files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        assert len(files) > 30
        seen.append({p: hashlib.sha256(p.read_bytes()).hexdigest() for p in files} | {"said": done.stdout})
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("format", "start"), [("md", "## "), ("junit", "<?xml"), ("json", "{"), ("annotations", "::")])
def test_printed_forms_are_nothing_but_the_form(folder: Path, call: Call, format: str, start: str) -> None:
    code, out, err = call("report", folder, "--format", format)
    assert (code, err) == (0, "")
    assert out.startswith(start)
    assert not (folder / "report.html").exists()


def test_two_runs_are_compared(folder: Path, call: Call) -> None:
    code, out, err = call("compare", folder, folder, "--format", "md")
    assert (code, err) == (0, "")
    assert "| `blocking_http` | buggy |" in out
    assert "(1×)" in call("compare", folder, folder)[1]


def _missing(folder: Path) -> None:
    (folder / "run.json").rename(folder.parent / "elsewhere.json")


def _newer(folder: Path) -> None:
    stored = json.loads((folder / "run.json").read_bytes())
    (folder / "run.json").write_text(json.dumps(stored | {"schema_version": 99}))


def _cut(folder: Path) -> None:
    (folder / "run.json").write_bytes((folder / "run.json").read_bytes()[:5000])


def _no_rows(folder: Path) -> None:
    (folder / "requests.parquet").unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_missing, "is half-written"),
        (_newer, "schema version 99"),
        (_cut, "run.json is damaged"),
        (_no_rows, "requests.parquet cannot be read"),
    ],
)
def test_a_run_that_cannot_be_read_is_one_sentence(
    folder: Path, call: Call, damage: Callable[[Path], None], words: str
) -> None:
    damage(folder)
    code, out, err = call("report", folder)
    assert (code, out) == (2, "")
    assert err.startswith("harness: ")
    assert words in err
    assert err.count("\n") == 1
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("verb", [["report"], ["compare", "."]])
def test_a_folder_that_does_not_exist_is_one_sentence(call: Call, tmp_path: Path, verb: list[str]) -> None:
    code, _, err = call(verb[0], tmp_path / "nowhere", *verb[1:])
    assert code == 2
    assert "nowhere is not a run folder: it does not exist" in err
    assert err.count("\n") == 1


def test_unlike_runs_are_compared_only_when_asked(folder: Path, call: Call, tmp_path: Path) -> None:
    stored = json.loads((folder / "run.json").read_bytes())
    stored["machine"]["cores"] = 64
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text(json.dumps(stored))
    code, _, err = call("compare", folder, tmp_path / "other")
    assert code == 2
    assert "cores 2 and 64" in err
    code, out, _ = call("compare", folder, tmp_path / "other", "--anyway")
    assert code == 0
    assert "Unlike, compared anyway: cores 2 and 64." in out
