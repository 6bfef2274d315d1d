"""What the gate says to input that it cannot use."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import cli
from harness.errors import UsageError
from harness.gate.alike import Answer, refuse_unlike
from harness.gate.inputs import budget_s
from harness.gate.metrics import METRIC_NAMES, rules_from
from tests.test_cli import APP, LOAD

Refused = Callable[..., str]
OWN = ["shop:app", "shop:app", "-f", "load.py", "--users", "2"]
PAIR = ["n_plus_one/fixed", "n_plus_one/buggy"]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Refused]:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "load.py").write_text(LOAD)
    (tmp_path / "damaged.json").write_text('{"schema": 1}')
    (tmp_path / "old.json").write_text('{"schema": 0, "run_schema": 1}')
    (tmp_path / "other.json").write_text(
        '{"schema": 1, "run_schema": 1, "system": "Plan9 mips", "cores": 3, "pairs": {}}'
    )
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["harness", "gate", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        assert end.value.code == 2, said
        assert (said.out, said.err.count("\n"), "Traceback" in said.err) == ("", 1, False), said
        assert not (tmp_path / "reports").exists(), "nothing was measured, nothing is left"
        return said.err

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["name two versions"]),
        (["shop:app"], ["second"]),
        (["n_plus_one/fixed", "n_plus_one/bugy"], ["n_plus_one/bugy does not exist", "n_plus_one/buggy"]),
        (["n_plus_one/fixed", "blocking_db/buggy"], ["two pairs", "unlike routes"]),
        (["n_plus_on/fixed", "n_plus_on/buggy"], ["did you mean 'n_plus_one'"]),
        (["n_plus_one/fixed", "shop:app"], ["of two kinds"]),
        ([*PAIR, "--users", "3"], ["--users", "a pair brings"]),
        (OWN[:2], ["-f LOCUSTFILE"]),
        (["nowhere#shop:app", *OWN[1:]], ["nowhere is not a folder"]),
        (["http://127.0.0.1:1", *OWN[1:]], ["is a URL"]),
        ([OWN[0], *OWN[2:], "--base", "main"], ["--base needs a git repository"]),
        ([*OWN, "--base", "main"], ["one too many"]),
        ([*OWN, "--budget", "1s"], ["--budget '1s'"]),
        ([*OWN, "--window", "0"], ["--window 0"]),
        ([*OWN, "--margin", "response_p95_s=-1"], ["--margin response_p95_s=-1", "out of range"]),
        ([*OWN, "--margin", "response_p95_s"], ["has no value"]),
        ([*OWN, "--metric", "response_p95"], ["--metric", "unknown metric", "did you mean 'response_p95_s'"]),
        ([*OWN, "--alpha", "0.9"], ["--alpha 0.9", "out of range"]),
        ([*OWN, "--config", "nowhere.toml"], ["--config nowhere.toml cannot be read"]),
        ([*PAIR, "--update"], ["--update", "--baseline FILE"]),
        (["--baseline", "nowhere.json"], ["nowhere.json cannot be read", "--update"]),
        (["--baseline", "damaged.json"], ["damaged.json is no baseline"]),
        (["--baseline", "old.json"], ["schema 0"]),
        (["--baseline", "other.json"], ["Plan9 mips with 3 cores", "--other-machine"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(refused: Refused, arguments: list[str], words: list[str]) -> None:
    said = refused(*arguments)
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alhpa = 1", "unknown key 'alhpa'"),
        ("metrics = 3", "metrics must be a list"),
        ('required = ["speed"]', "required: unknown metric 'speed'"),
        ("margins = 3", "margins must be a table"),
        ("[margins]\ngoodput_rps = 'much'", "margins.goodput_rps: a margin is a number"),
        ("alpha = 'small'", "alpha 'small' is out of range"),
        ("alpha =", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=f"gate.toml.*{words}"):
        rules_from(file)


def test_flags_change_what_a_file_says(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(
        'alpha = 0.05\nmetrics = ["goodput_rps", "queries_per_request"]\nrequired = ["goodput_rps"]\n[margins]\ngoodput_rps = 0.2\n'
    )
    rules = rules_from(file, margins=["goodput_rps=0.3"], alpha=0.02)
    assert [(m.name, m.margin, m.required) for m in rules.metrics] == [
        ("queries_per_request", 0.05, False), ("goodput_rps", 0.3, True),
    ]  # fmt: skip
    assert rules.alpha == 0.02
    assert tuple(m.name for m in rules_from(None).metrics) == METRIC_NAMES


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("120s", 120), ("5m", 300), ("1.5min", 90)])
def test_a_budget_is_read(text: str, seconds: float) -> None:
    assert budget_s(text) == seconds


OK, GONE, BROKEN = Answer("GET /a", 200, None), Answer("GET /a", 404, "HTTP 404"), Answer("GET /a", 500, "HTTP 500")


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ([OK], [GONE], "B has not the routes of A: GET /a"),
        ([GONE], [OK], "A has not the routes of B: GET /a"),
        ([OK], [BROKEN], "fails with B alone"),
        ([BROKEN], [BROKEN], "fails with both"),
        ([GONE], [GONE], "fails with both"),
        ([], [], "sends no request"),
    ],
)
def test_versions_that_cannot_be_compared(a: list[Answer], b: list[Answer], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        refuse_unlike(("A", a), ("B", b))


def test_a_status_that_the_scenario_takes_for_right_is_right() -> None:
    refuse_unlike(("A", [OK]), ("B", [Answer("GET /a", 404, None)]))
