"""Two runs side by side, and when that is refused."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from harness.compare import compare, unlike
from harness.errors import UsageError
from harness.judgement import RunVerdict
from harness.record import PROFILES, Run, Workload
from harness.report.agreement import agreement, sentences
from harness.report.compared import print_compared, render_compared
from harness.store import RunData
from tests.report.sample_run import without_valid

CHANGED = ("mutable_default", "fixed")
Sample = tuple[Run, RunVerdict, RunData]


@pytest.fixture(scope="module")
def first(sample: Sample) -> Run:
    return sample[0]


@pytest.fixture(scope="module")
def second(first: Run) -> Run:
    """The same, later, with twice the goodput of one variant."""
    results = tuple(
        replace(r, figures=replace(r.figures, goodput_rps=2 * (r.figures.goodput_rps or 0)))
        if (r.pair, r.variant) == ("blocking_http", "buggy")
        else r
        for r in first.results
    )
    return replace(first, id="later", machine=replace(first.machine, git="other"), results=results)


def test_ratios_are_second_over_first(first: Run, second: Run) -> None:
    found = compare(first, second)
    changes = {(r.pair, r.variant): {c.metric: c for c in r.changes} for r in found.rows}
    assert changes["blocking_http", "buggy"]["goodput_rps"].ratio == pytest.approx(2.0)
    assert changes["blocking_http", "fixed"]["goodput_rps"].ratio == pytest.approx(1.0)
    assert changes["blocking_http", "fixed"]["failed_share"].ratio is None  # of nothing there is no ratio
    assert changes["return_session", "buggy"]["response_p99_s"].warnings


def test_a_newer_commit_is_no_reason_to_refuse(first: Run, second: Run) -> None:
    assert list(unlike(first, second)) == []


def _pair(run: Run, **changes: object) -> Run:
    return replace(run, pairs=(replace(run.pairs[0], **changes), *run.pairs[1:]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: replace(r, machine=replace(r.machine, cores=8)), "cores 2 and 8"),
        (lambda r: replace(r, machine=replace(r.machine, postgres=None)), "postgres 18.4 and none"),
        (lambda r: replace(r, machine=replace(r.machine, memory_bytes=2**30)), "memory 8.0 and 1.0 GiB"),
        (lambda r: replace(r, machine=replace(r.machine, packages={"fastapi": "9"})), "fastapi 0.165.0 and 9"),
        (
            lambda r: replace(r, profile=PROFILES["soak"]),
            f"quick with warmup_s {PROFILES['quick'].warmup_s} and soak with 5",
        ),
        (lambda r: _pair(r, workload=Workload(users=3)), "the workloads of mutable_default differ"),
        (lambda r: _pair(r, settings={"pool_size": 1.0}), "the settings of mutable_default differ"),
    ],
)
def test_unlike_runs_are_refused_with_the_reason(first: Run, second: Run, change: object, words: str) -> None:
    assert callable(change)
    with pytest.raises(UsageError) as refusal:
        compare(first, change(second))
    assert words in str(refusal.value)
    assert "--anyway" in str(refusal.value)
    assert any(words in reason for reason in compare(first, change(second), anyway=True).unlike)


def test_runs_without_a_common_pair_are_refused_in_any_case(first: Run) -> None:
    with pytest.raises(UsageError, match="no pair in common"):
        compare(first, replace(first, pairs=()), anyway=True)


def test_both_forms_show_ratios_gaps_and_what_limits_them(sample: Sample, second: Run) -> None:
    gap = without_valid((second, *sample[1:]), "blocking_http", "partial")
    found = compare(replace(sample[0], pairs=sample[0].pairs[1:]), gap)
    console = Console(file=io.StringIO(), width=100, color_system=None)
    agreed = agreement(found.first, found.second)
    print_compared(console, found, agreed)
    assert isinstance(console.file, io.StringIO)
    for text in (console.file.getvalue(), render_compared(found, agreed)):
        text = text.replace("\\", "")
        assert "verdicts agree." in text
        assert "(2×)" in text
        assert "→ invalid" in text
        assert "Only in later: mutable_default." in text
        assert "! return_session/buggy, 99" in text.replace("\N{NO-BREAK SPACE}", " ")
        assert "noise" in text


def with_goodput(run: Run, goodput_rps: float) -> Run:
    """Another run, in which one variant did as much."""
    results = tuple(
        replace(r, figures=replace(r.figures, goodput_rps=goodput_rps)) if (r.pair, r.variant) == CHANGED else r
        for r in run.results
    )
    return replace(run, id="later", results=results)


def test_a_run_agrees_with_itself(first: Run) -> None:
    assert sentences(agreement(first, first)) == ["3 of 3 verdicts agree."]
    assert agreement(first, first).exit_code == 0


def test_a_contradiction_is_named_with_what_is_not_as_it_should_be(first: Run) -> None:
    slow = with_goodput(first, 1.0)
    agreed = agreement(first, slow)
    (differing,) = agreed.differing
    assert (differing.pair, differing.contradicts, agreed.exit_code) == ("mutable_default", True, 1)
    assert sentences(agreed)[1].startswith("mutable_default: met → not met (later: ")
    assert "goodput" in sentences(agreed)[1]
    assert sentences(agreement(slow, first))[1].startswith("mutable_default: not met → met (later: ")


def test_the_same_failure_with_another_figure_is_agreement(first: Run) -> None:
    assert agreement(with_goodput(first, 1.0), with_goodput(first, 1.1)).exit_code == 0


def test_a_pair_without_a_valid_trial_is_no_agreement(sample: Sample) -> None:
    gap = without_valid(sample, *CHANGED)
    agreed = agreement(gap, gap)
    assert sentences(agreed) == ["2 of 3 verdicts agree.", "mutable_default: invalid → invalid."]
    assert agreed.exit_code == 3
