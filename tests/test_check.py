"""The look at the machine: what it tells, and that what bends figures is a warning in the run and never a refusal."""

from __future__ import annotations

import resource
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness import bench, check, cli
from harness.check import Finding, check_machine, machine_warnings
from harness.record import PROFILES


def found(name: str, out: Path = Path()) -> Finding:
    return next(f for f in check_machine(out, busy_s=0.01, sleeps=3) if f.name == name)


def test_everything_is_told_with_its_unit(tmp_path: Path) -> None:
    findings = {f.name: f.value for f in check_machine(tmp_path / "not" / "made", busy_s=0.01, sleeps=3)}
    assert set(findings) - {"frequency scaling"} == {
        "cores", "placement", "load average", "processors busy", "open files", "clock", "sleep", "free disk", "free memory",
    }  # fmt: skip
    assert findings["free disk"].split()[1] == "GiB"
    assert "ms longer" in findings["sleep"]
    assert not (tmp_path / "not").exists(), "a look changes nothing"


def test_a_crowded_machine_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    assert found("load average").warning is None
    monkeypatch.setattr("os.getloadavg", lambda: (99.0, 0.0, 0.0))
    assert "other work" in str(found("load average").warning)


@pytest.mark.parametrize(("percent", "warns"), [(3.0, False), (60.0, True)])
def test_busy_processors_are_a_warning(monkeypatch: pytest.MonkeyPatch, percent: float, warns: bool) -> None:
    monkeypatch.setattr("psutil.cpu_percent", lambda interval: percent)
    assert (found("processors busy").warning is not None) is warns


@pytest.mark.parametrize(("soft", "warns"), [(1024, True), (65536, False), (resource.RLIM_INFINITY, False)])
def test_few_open_files_are_a_warning(monkeypatch: pytest.MonkeyPatch, soft: int, warns: bool) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, soft))
    assert ("ulimit -n" in str(found("open files").warning)) is warns


@pytest.mark.parametrize(("governors", "warns"), [(["performance"] * 2, False), (["performance", "powersave"], True)])
def test_a_clock_that_follows_the_load_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, governors: list[str], warns: bool
) -> None:
    for n, governor in enumerate(governors):
        (tmp_path / f"cpu{n}" / "cpufreq").mkdir(parents=True)
        (tmp_path / f"cpu{n}" / "cpufreq" / "scaling_governor").write_text(governor + "\n")
    monkeypatch.setattr(check, "GOVERNORS", tmp_path)
    assert (found("frequency scaling").warning is not None) is warns


def test_late_sleeps_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_overshoot_s", iter([0.004, 0.003, 0.0]).__next__)
    assert found("sleep").value == "1 ms takes 3.00 ms longer (median of 3)"
    monkeypatch.setattr(check, "_overshoot_s", lambda: 0.0001)
    assert found("sleep").warning is None


def test_the_command_tells_all_and_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [Finding(name="cores", value="2"), Finding(name="sleep", value="late", warning="it [bends] figures")]
    monkeypatch.setattr(check, "check_machine", lambda out: findings)
    monkeypatch.setattr(sys, "argv", ["harness", "check"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert "it [bends] figures" in said
    assert "1 of 2" in said


def test_warnings_become_part_of_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    findings = [Finding(name="cores", value="1", warning="too few"), Finding(name="clock", value="fine")]
    monkeypatch.setattr(check, "check_machine", lambda out, **_: findings)
    assert machine_warnings(tmp_path) == ("cores, 1: too few",)
    monkeypatch.setattr(bench, "_measure", lambda *_: None)
    plan = bench.BenchPlan(
        pairs=[], subjects={}, profile=PROFILES["quick"], postgres=None, catalogue=None, out=tmp_path / "out", seed=1, command="harness"
    )  # fmt: skip
    unused: Any = nullcontext
    assert bench.run_bench(plan, unused).run.warnings == ("cores, 1: too few",)
