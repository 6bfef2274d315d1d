"""Sweeps: what is asked for, what is planned, what is concluded, and one that is really run."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UsageError
from harness.measured import Figures
from harness.postgres.server import PostgresServer
from harness.record import PROFILES, Trial, Workload
from harness.staging import Subject, TrialPlan
from harness.store import load_data, load_run
from harness.sweep import parse_users, plan_sweeps, scalabilities, scalability, users_of
from harness.verdict import judge
from tests.builders import pair, result, run, trial

USERS = (1, 2, 4, 8, 16, 32)


def planned(profile: str = "standard", sweep: tuple[int, ...] = ()) -> list[TrialPlan]:
    """The plan of a pair with two variants, two blocks each."""
    shop = replace(pair(), sweep=sweep)
    subject = Subject(target="shop:app", app_dir=Path(), locustfile=Path("shop.py"))
    order = ("buggy", "fixed", "fixed", "buggy")
    return [
        TrialPlan(id=n, pair=shop, variant=v, subject=subject, block=1 + n // 3, seed=n // 3, profile=PROFILES[profile])
        for n, v in enumerate(order, 1)
    ]


def at(users: int, goodput: float, *, invalid: tuple[str, ...] = (), **figures: float) -> Trial:
    return replace(
        trial(100 + users, sequential=(), invalid=invalid),
        workload=Workload(users=users),
        figures=Figures(goodput_rps=goodput, **figures),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("text", "users"), [("1,2,4", (1, 2, 4)), ("8, 1,8", (1, 8)), ("10000", (10_000,))])
def test_numbers_of_users_are_read(text: str, users: tuple[int, ...]) -> None:
    assert parse_users(text) == users


@pytest.mark.parametrize("text", ["", "1,x", "0,1", "1;2", "-1", "1,10001", "1.5", "1,,2"])
def test_what_is_no_list_of_users_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"--sweep .* is not a list of numbers of users"):
        parse_users(text)


@pytest.mark.parametrize(
    ("profile", "own", "asked", "users"),
    [
        ("quick", (1, 5), (), ()),
        ("quick", (1, 5), (2, 3), (2, 3)),
        ("standard", (1, 5), (), (1, 5)),
        ("standard", (1, 5), (2, 3), (2, 3)),
        ("soak", (), (), ()),
    ],
)
def test_a_sweep_runs_when_asked_for_and_by_itself_only_where_there_is_time(
    profile: str, own: tuple[int, ...], asked: tuple[int, ...], users: tuple[int, ...]
) -> None:
    assert users_of(replace(pair(), sweep=own), PROFILES[profile], asked) == users


def test_every_variant_is_planned_at_every_number_of_users() -> None:
    trials = planned()
    sweeps = plan_sweeps(trials, USERS)
    assert [t.id for t in sweeps] == list(range(5, 5 + 2 * len(USERS)))
    turns = list(zip(sweeps[::2], sweeps[1::2], strict=True))
    assert sorted(a.pair.workload.users for a, _ in turns) == list(USERS)
    assert [a.pair.workload.users for a, _ in turns] != list(USERS), "in a shuffled order"
    assert all(a.pair.workload == b.pair.workload for a, b in turns)
    assert [(a.variant, b.variant) for a, b in turns] == [("buggy", "fixed"), ("fixed", "buggy")] * 3
    assert sweeps == plan_sweeps(trials, USERS), "and the same with the same seed"
    for t in sweeps:
        assert (t.pair.workload.model, t.pair.workload.canary, t.profile.sequential_tasks) == ("closed", None, 0)
        assert t.profile.window_s == trials[0].profile.window_s


def test_a_sweep_keeps_to_the_windows_of_the_profile() -> None:
    factored = [
        replace(t, pair=replace(t.pair, window_factor=3.0), profile=replace(t.profile, window_s=3 * t.profile.window_s))
        for t in planned()
    ]
    wanted = pytest.approx(PROFILES["standard"].window_s)
    assert all(t.profile.window_s == wanted for t in plan_sweeps(factored, USERS))


def test_no_sweep_is_planned_that_nobody_asked_for() -> None:
    assert plan_sweeps(planned("quick", sweep=USERS), ()) == []
    assert len(plan_sweeps(planned("standard", sweep=USERS), ())) == 12


def test_an_open_workload_is_swept_closed() -> None:
    trials = [replace(t, pair=replace(t.pair, workload=Workload(model="open", rate_rps=50.0))) for t in planned()]
    (first, *_) = plan_sweeps(trials, (3,))
    assert first.pair.workload == Workload(model="closed", users=3)


def test_a_sweep_is_fitted_to_goodput_and_says_what_limits_it() -> None:
    trials = [at(n, 50 * n / (1 + 0.1 * (n - 1) + 0.01 * n * (n - 1)), failed_share=0.0) for n in USERS]
    trials[3] = replace(trials[3], invalid=("the app ended",))
    trials[5] = at(32, trials[5].figures.goodput_rps or 0.0, failed_share=0.4, throughput_rps=900.0)
    found = scalability("shop", "buggy", trials[::-1])
    assert [t.workload.users for t in found.trials] == list(USERS)
    assert [t.workload.users for t in found.points] == [1, 2, 4, 16, 32]
    assert found.fit is not None
    assert found.fit.contention.value == pytest.approx(0.1, abs=1e-3)
    assert found.fit.coherency.value == pytest.approx(0.01, abs=1e-4)
    said = " | ".join(found.warnings)
    assert "left out, invalid: 8 users: the app ended" in said
    assert "requests failed at 32 users: goodput is fitted" in said
    assert "only 5 numbers of users" in said


@pytest.mark.parametrize(
    ("trials", "why"),
    [
        ([at(n, 10.0 * n) for n in (1, 2, 4)], "no fit: the law needs 4 numbers of users"),
        ([at(n, 0.0) for n in USERS], "no fit: nothing was answered rightly"),
        ([at(n, 9.0, invalid=("why",)) for n in USERS], "no fit: the law needs 4 numbers of users"),
    ],
)
def test_a_sweep_that_cannot_be_fitted_says_why(trials: list[Trial], why: str) -> None:
    found = scalability("shop", "buggy", trials)
    assert found.fit is None
    assert why in found.warnings


def test_a_point_without_any_answer_does_not_upset_the_fit() -> None:
    rates = (50.0, 90.0, 150.0, 200.0, 100.0, 0.0)
    found = scalability("shop", "buggy", [at(n, r) for n, r in zip(USERS, rates, strict=True)])
    assert found.fit is not None
    assert any(w.startswith("the law does not describe") for w in found.warnings)


def test_the_verdict_judges_nothing_by_a_sweep_but_its_invalid_trials_count() -> None:
    good = run(pair(), [result("buggy"), result("fixed")])
    swept = replace(good, sweeps=(scalability("shop", "buggy", [at(1, 9.0), at(2, 9.0)]),))
    assert judge(swept) == judge(good)
    assert len(swept.all_trials) == len(good.trials) + 2
    spoiled = replace(good, sweeps=(scalability("shop", "buggy", [at(1, 9.0), at(2, 9.0, invalid=("it ended",))]),))
    assert judge(spoiled).pairs[0].invalid == ("buggy, sweep at 2 users: it ended",)
    assert judge(spoiled).exit_code == 3


def test_sweeps_are_kept_by_pair_and_variant() -> None:
    trials = [replace(at(n, 9.0), id=n, variant=v) for n, v in ((1, "buggy"), (2, "fixed"), (3, "fixed"))]
    assert [(s.variant, len(s.trials)) for s in scalabilities(trials)] == [("buggy", 1), ("fixed", 2)]


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A quick profile that is quicker still, in a process whose signal handlers are put back."""
    short = replace(PROFILES["quick"], warmup_s=0.2, window_s=0.6, blocks=1)
    monkeypatch.setitem(PROFILES, "quick", short)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.alone
@pytest.mark.usefixtures("brief")
def test_a_sweep_is_measured_stored_and_shown(embedded_server: PostgresServer, tmp_path: Path) -> None:
    arguments = ["bench", "return_session", "--profile", "quick", "--sweep", "3,1", "--out", str(tmp_path), "--json"]
    ended = CliRunner().invoke(app, [*arguments, "--postgres", embedded_server.url])
    assert ended.exit_code in (0, 1), ended.output  # whether the pair's effect shows so soon is not the question
    shown = json.loads(ended.stdout)
    assert [t["workload"]["users"] for t in shown["trials"]] == [12, 12]
    assert [(s["variant"], [t["workload"]["users"] for t in s["trials"]]) for s in shown["sweeps"]] == [
        ("buggy", [1, 3]),
        ("fixed", [1, 3]),
    ]
    stored = load_run(tmp_path / "latest")
    for sweep in stored.sweeps:
        assert sweep.fit is None
        assert sweep.warnings[-1] == "no fit: the law needs 4 numbers of users"
        assert all(t.sequential == () and t.planned for t in sweep.trials)
    for r in stored.results:
        own = [t for t in stored.trials if t.variant == r.variant]
        assert r.trials == tuple(t.id for t in own)
        assert r.figures.requests == sum(t.figures.requests or 0 for t in own), "no row of the sweep is pooled"
    rows = load_data(tmp_path / "latest").requests
    assert set(rows["trial"].to_pylist()) == {t.id for t in stored.all_trials}
    page = (tmp_path / "latest/report.html").read_text()
    assert "With more users" in page
    assert (tmp_path / "latest/charts/return_session-sweep-goodput.svg").is_file()


def test_a_bad_sweep_ends_with_one_sentence() -> None:
    ended = CliRunner().invoke(app, ["bench", "--sweep", "many"])
    assert isinstance(ended.exception, UsageError)
