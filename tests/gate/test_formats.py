"""What other programs read of a gate."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from harness.gate import formats, terminal, words
from harness.gate.decision import decide
from harness.gate.findings import Look, Promise
from harness.gate.live import GateResult
from harness.gate.metrics import Rules
from tests.gate.test_decision import looks_at, made_up
from tests.gate.test_gross import rounds


def result(worse: dict[str, float], *, a2: dict[str, float] | None = None, lost: int = 0) -> GateResult:
    blocks = made_up(np.random.default_rng(1), arms={"b": worse, "a2": a2 or {}})
    promise = Promise(name="rows | kept", promised={"a": 9, "b": 9, "a2": 9}, kept={"a": 9, "b": 9 - lost, "a2": 9})
    return GateResult(
        a="pair/fixed", b="pair/buggy", decision=decide(blocks, looks_at(blocks), Rules(), [promise]), blocks=tuple(blocks),
        looks=tuple(looks_at(blocks)), wall_s=118.0, measured_s=110.0, budget_s=120.0, window_s=1.0, seed=1,
    )  # fmt: skip


WORSE = result({"queries_per_request": 2.0, "cpu_s_per_request": 1.5}, lost=4)
SAME = result({})
DIFFERS = result({}, a2={"cpu_s_per_request": 1.5})
SLOWER = result({"cpu_s_per_request": 1.5})
DISTURBED = replace(SLOWER, decision=replace(SLOWER.decision, disturbed=True))


def test_a_gate_that_ends_with_a_gross_change_is_told_in_every_format() -> None:
    decision = decide([], [Look(blocks=1, fraction=0.1)], Rules(), rounds=rounds(0.2))
    gate = replace(SAME, decision=decision, blocks=SAME.blocks[:1], looks=SAME.looks[:1])
    assert words.verdict(gate).startswith("Regression: pair/buggy against pair/fixed is worse in goodput")
    out = io.StringIO()
    terminal.print_result(Console(file=out, width=200), gate)
    assert "regression" in out.getvalue()
    document = json.loads(formats.as_json(gate))
    assert [f["change"] for f in document["decision"]["findings"]] == ["regression", "regression"]
    (suite,) = ET.fromstring(formats.as_junit(gate))
    assert {"goodput", "response time, p50"} <= {c.get("name") for c in suite if c.find("failure") is not None}
    assert formats.as_annotations(gate).startswith("::error")
    assert formats.as_markdown(gate)


def test_what_so_few_blocks_leave_open_is_told_without_figures_that_nobody_can_mean() -> None:
    blocks = made_up(np.random.default_rng(1), noise=20)[:3]
    looks = [Look(blocks=3, fraction=0.1)]
    gate = replace(SAME, decision=decide(blocks, looks, Rules()), blocks=tuple(blocks), looks=tuple(looks))
    told = {f.metric.name: (words.change(f), words.detectable(f)) for f in gate.decision.findings}
    change, detectable = told["response_p99_s"]
    assert change.endswith("[0.000, > 100]") and detectable == "> 100 times"


def test_benchmark_histories_hold_the_figures_of_b() -> None:
    smaller = {e["name"]: e for e in json.loads(formats.as_github_benchmark(WORSE, more_is_worse=True))}
    (bigger,) = json.loads(formats.as_github_benchmark(WORSE, more_is_worse=False))
    assert (smaller["queries per request"]["value"], bigger["name"], bigger["unit"]) == (4.0, "goodput", "/s")
    assert all({"name", "unit", "value"} <= set(e) for e in (*smaller.values(), bigger))
    bmf = json.loads(formats.as_bencher(WORSE))
    cpu = bmf["pair/buggy"]["cpu-s-per-request"]
    assert cpu["lower_value"] < cpu["value"] < cpu["upper_value"]


def test_a_history_can_hold_a_count_that_fell_to_nothing() -> None:
    gone = result({"queries_per_request": 0.0})
    entries = {e["name"]: e for e in json.loads(formats.as_github_benchmark(gone, more_is_worse=True))}
    assert entries["queries per request"]["value"] == 0.0
    assert "range" not in entries["queries per request"]


def test_junit_tells_failures_from_what_is_open() -> None:
    (suite,) = ET.fromstring(formats.as_junit(WORSE))
    failed = {c.get("name") for c in suite if c.find("failure") is not None}
    assert failed == {"queries per request", "CPU per request", "rows | kept"}
    assert (suite.get("tests"), suite.get("failures")) == (str(len(suite)), "3")
    (differing,) = ET.fromstring(formats.as_junit(DIFFERS))
    assert next(c for c in differing if c.get("name") == "A against A").find("skipped") is not None


@pytest.mark.parametrize(
    ("gate", "code", "kind", "sentence"),
    [
        (WORSE, 1, "::error", "Regression: pair/buggy against pair/fixed is worse in queries per request (2 → 4)"),
        (SAME, 0, "::notice", "Passed: pair/buggy against pair/fixed is no worse, within the margins."),
        (DIFFERS, 3, "::warning", "Inconclusive: A differs from A in cpu_s_per_request"),
        (DISTURBED, 3, "::warning", "Inconclusive: CPU per request ("),
    ],
)
def test_annotations_and_the_sentence_say_what_the_exit_code_says(
    gate: GateResult, code: int, kind: str, sentence: str
) -> None:
    assert gate.decision.exit_code == code
    assert all(line.startswith(kind) for line in formats.as_annotations(gate).splitlines())
    assert words.verdict(gate).startswith(sentence)
    document = json.loads(formats.as_json(gate))
    assert (document["exit_code"], document["sentence"], len(document["blocks"])) == (code, words.verdict(gate), 24)


def test_markdown_is_one_table_with_every_metric() -> None:
    text = formats.as_markdown(WORSE)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(WORSE.decision.findings) + 1
    assert {line.replace("\\|", "").count("|") for line in rows} == {9}
    assert "4 of 9 rows lost" in text


def test_a_regression_that_is_not_believed_fails_nobodys_build() -> None:
    (suite,) = ET.fromstring(formats.as_junit(DISTURBED))
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")
    assert "but other processes were at work" in words.verdict(DISTURBED)
