"""The run that is kept in the repository: small, whole, and still a run that the printed forms can be made of."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness import documents
from harness.errors import SetupError, UsageError
from harness.judgement import RunVerdict
from harness.record import Run
from harness.report import picture
from harness.report.markdown import render_markdown
from harness.report.sample import MOST_BYTES, keep_sample
from harness.store import RunData, load_data, load_run
from harness.verdict import judge

Sample = tuple[Run, RunVerdict, RunData]
ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "reports" / "sample"


def test_it_holds_the_reports_and_no_rows(sample: Sample, tmp_path: Path) -> None:
    run = sample[0]
    folder = tmp_path / "kept"
    size = keep_sample(folder, *sample)
    assert sorted(p.name for p in folder.iterdir()) == ["charts", "junit.xml", "report.html", "report.md", "run.json"]
    assert size == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    names = {p.name for p in (folder / "charts").iterdir()}
    assert names <= {f"{p.name}-{c}.svg" for p in run.pairs for c in ("throughput", "response", "canary")}
    assert {f"{p.name}-throughput.svg" for p in run.pairs} <= names
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept"], "nothing is left beside it"


def test_its_run_is_the_run_but_for_the_logs(sample: Sample, tmp_path: Path) -> None:
    run = replace(sample[0], trials=tuple(replace(t, log=f"logs/{t.id}.log") for t in sample[0].trials))
    keep_sample(tmp_path / "kept", run, *sample[1:])
    stored = load_run(tmp_path / "kept")
    assert stored == replace(run, trials=tuple(replace(t, log=None) for t in run.trials))
    assert render_markdown(stored, judge(stored)) == render_markdown(run, judge(run))
    with pytest.raises(UsageError, match=r"kept keeps no raw rows, so its charts .* cannot be drawn again"):
        load_data(tmp_path / "kept")


def test_it_takes_the_place_of_an_older_one_and_of_nothing_else(sample: Sample, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    keep_sample(folder, *sample)
    (folder / "charts" / "gone-throughput.svg").write_text("<svg/>")
    keep_sample(folder, *sample)
    assert not (folder / "charts" / "gone-throughput.svg").exists()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something other than a sample"):
        keep_sample(folder, *sample)
    assert (folder / "notes.txt").read_text() == "mine"


def test_one_that_is_too_large_is_refused_and_the_old_one_stays(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_sample(tmp_path / "kept", *sample)
    before = (tmp_path / "kept" / "report.html").stat().st_mtime_ns
    monkeypatch.setattr("harness.report.sample.MOST_BYTES", 1000)
    with pytest.raises(UsageError, match=r"takes \d+\.\d MiB, more than"):
        keep_sample(tmp_path / "kept", *sample)
    assert (tmp_path / "kept" / "report.html").stat().st_mtime_ns == before


def test_a_part_of_the_catalogue_is_no_sample(sample: Sample) -> None:
    run = sample[0]
    documents.refuse_a_part(run, list(run.pairs))
    with pytest.raises(UsageError, match="measured 1 of 3 pairs, not"):
        documents.refuse_a_part(replace(run, pairs=run.pairs[:1]), list(run.pairs))
    with pytest.raises(UsageError, match="is partial"):
        documents.refuse_a_part(replace(run, status="partial"), list(run.pairs))


@pytest.mark.skipif(picture.find_browser() is None, reason="the picture needs chromium")
def test_the_picture_is_the_first_screen(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<!DOCTYPE html><title>t</title><body style='background:#0069a8'>")
    browser = picture.find_browser()
    assert browser is not None
    picture.take_picture(browser, page, tmp_path / "docs" / "report.png")
    content = (tmp_path / "docs" / "report.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    size = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    assert size == (picture.WIDTH_PX, picture.HEIGHT_PX)


def test_a_browser_that_fails_is_one_sentence(tmp_path: Path) -> None:
    false = shutil.which("false")
    assert false is not None
    with pytest.raises(SetupError, match="made no picture of"):
        picture.take_picture(false, tmp_path / "report.html", tmp_path / "report.png")
    assert not (tmp_path / "report.png").exists()


def test_the_kept_sample_is_small_and_of_the_whole_catalogue() -> None:
    size = sum(p.stat().st_size for p in KEPT.rglob("*") if p.is_file())
    assert size < MOST_BYTES
    measured = {pair["name"] for pair in json.loads((KEPT / "run.json").read_bytes())["pairs"]}
    assert measured == {p.parent.name for p in ROOT.glob("target_apps/*/pair.toml")}, "renew it with: make sample"
    assert "](reports/sample/report.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
