"""Which tool finds which bug: the rules of the count, what the tools' output is read as, and one pair for real."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from harness.catalog import load_pair
from harness.cli import app
from harness.detectors import live
from harness.detectors.document import render_document
from harness.detectors.hook import TELLS
from harness.detectors.logs import reports_in
from harness.detectors.record import FILE, Detector, Evidence, Look, Report, load_evidence, save_evidence
from harness.detectors.scoreboard import keep_score
from harness.detectors.scoring import Mark, Score, changed_lines, has_bug, score
from harness.detectors.static import look_statically, parse_mypy
from harness.detectors.stored import NO_TRIAL, looks_of
from harness.errors import SetupError, UsageError
from harness.inside import Frame, LoopHold
from harness.postgres.server import PostgresServer
from harness.record import Cause, Pair, SequentialAnswer
from harness.verdict import judge
from tests import builders

ROOT = Path(__file__).resolve().parent.parent
BUGGY = """\
import time

async def label():
    time.sleep(1)  # BUG

async def other():
    pass
"""
FIXED = BUGGY.replace("import time", "import asyncio").replace("time.sleep(1)  # BUG", "await asyncio.sleep(1)")


def shop(buggy: str = BUGGY, fixed: str = FIXED, cause: Cause = Cause.LOOP_BLOCKED) -> Pair:
    return builders.pair(
        variants=(builders.variant("buggy", cause, buggy), builders.variant("fixed", Cause.NONE, fixed))
    )


def report(
    rule: str, line: int | None = None, function: str = "label", variant: str = "buggy", times: int = 2
) -> Report:
    frame = None if line is None else builders.frame(line, function, f"target_apps/shop/{variant}.py")
    return Report(rule=rule, frame=frame, text="it is so", times=times)


def scored(
    detector: Detector,
    buggy: Iterable[Report] = (),
    fixed: Iterable[Report] = (),
    *,
    broke: str | None = None,
    of: Pair | None = None,
) -> Score:
    looks = [
        Look(detector=detector, pair="shop", variant="buggy", reports=tuple(buggy)),
        Look(detector=detector, pair="shop", variant="fixed", reports=tuple(fixed), broke=broke),
    ]
    return score(of or shop(), detector, {(k.detector, k.pair, k.variant): k for k in looks})


@pytest.mark.parametrize(
    ("buggy", "fixed", "mark"),
    [
        ([report("ASYNC251", 4)], [], Mark.LINE),
        ([report("B008", 3)], [], Mark.LINE),  # the function that the marked line stands in
        ([report("E712", 1, "<module>")], [], Mark.FOUND),  # a line that the fix changes, not the marked one
        ([report("B006", 7, "other")], [], Mark.MISSED),  # nothing that the fix touches
        ([report("ASYNC251", 4)], [report("ASYNC251", 3, variant="fixed")], Mark.MISSED),  # the fix has it too
        ([report("ASYNC251", 4)], [report("ASYNC251", 7, "other", "fixed")], Mark.LINE),  # elsewhere in the fix
        ([], [], Mark.MISSED),
    ],
)
def test_a_static_find_is_about_what_the_fix_changes(buggy: list[Report], fixed: list[Report], mark: Mark) -> None:
    assert scored(Detector.RUFF, buggy, fixed).mark is mark


def test_a_static_report_on_the_fix_is_a_false_alarm_where_the_fix_is() -> None:
    there, elsewhere = report("ASYNC251", 4, variant="fixed"), report("B006", 7, "other", "fixed")
    found = scored(Detector.RUFF, [], [there, elsewhere])
    assert (found.false_alarms, found.beside) == ((there,), (elsewhere,))


@pytest.mark.parametrize(
    ("buggy", "fixed", "mark"),
    [
        ([report("time.sleep", 4)], [], Mark.LINE),
        ([report("slow step", 411, "run_asgi", "uvicorn")], [], Mark.FOUND),  # it names another place
        (
            [report("time.sleep", 4)],
            [report("time.sleep", 7, "other", "fixed")],
            Mark.MISSED,
        ),  # as much is said of the fix
        ([report("time.sleep", 4)], [report("os.stat")], Mark.LINE),
    ],
)
def test_a_live_find_is_a_kind_of_report_that_the_fix_does_not_give(
    buggy: list[Report], fixed: list[Report], mark: Mark
) -> None:
    assert scored(Detector.BLOCKBUSTER, buggy, fixed).mark is mark


def test_a_step_that_was_slow_once_is_neither_a_find_nor_a_false_alarm() -> None:
    once, again = (report("slow step", 411, "run_asgi", "uvicorn", times) for times in (1, 2))
    assert scored(Detector.ASYNCIO, [again], [once]).mark is Mark.FOUND
    assert scored(Detector.ASYNCIO, [once]).mark is Mark.MISSED
    assert scored(Detector.ASYNCIO, [], [again]).false_alarms == (again,)
    assert scored(Detector.ASYNCIO, [], [once]).false_alarms == ()


def test_blockbuster_gives_a_false_alarm_only_with_a_line_of_the_app() -> None:
    of_app, of_library = report("os.stat", 4, variant="fixed"), report("os.read")
    found = scored(Detector.BLOCKBUSTER, [], [of_app, of_library])
    assert (found.false_alarms, found.beside) == ((of_app,), (of_library,))
    assert scored(Detector.ASYNCIO, [], [of_library]).false_alarms == (of_library,)


@pytest.mark.parametrize("detector", Detector)
def test_what_broke_is_neither_found_nor_missed(detector: Detector) -> None:
    found = scored(detector, [report("time.sleep", 4)], broke="it fell over")
    assert (found.mark, found.found, found.false_alarms, found.broke) == (Mark.BROKE, (), (), "it fell over")


def test_what_nobody_looked_at_is_not_missed() -> None:
    assert score(shop(), Detector.RUFF, {}).mark is Mark.UNSEEN


def test_where_the_fix_only_adds_lines_those_beside_them_count() -> None:
    assert changed_lines("a\nb\nc", "a\nb\nnew\nc") == {2, 3}
    assert changed_lines("a\nb", "a\nb\nnew") == {2}


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_changed_lines_are_lines_of_the_source(before: list[str], after: list[str]) -> None:
    changed = changed_lines("\n".join(before), "\n".join(after))
    assert changed <= set(range(1, len(before) + 1))
    assert bool(changed) == (before != after and bool(before))


def test_a_pair_without_a_stated_cause_has_no_bug_to_find() -> None:
    assert has_bug(shop())
    assert not has_bug(shop(cause=Cause.NONE))


SLOW = (
    "Executing <Task pending name='Task-5' coro=<RequestResponseCycle.run_asgi() running at "
    "/venv/lib/python3.11/site-packages/uvicorn/protocols/http/h11_impl.py:411> cb=[set.discard()] created at /x.py:258> took 0.242 seconds"
)
LOST = """\
/here/target_apps/shop/buggy.py:9: RuntimeWarning: coroutine 'Session.commit' was never awaited
Coroutine created at (most recent call last)
  File "/venv/lib/python3.11/site-packages/fastapi/routing.py", line 10, in app
    await run()
  File "/here/target_apps/shop/buggy.py", line 4, in label
    session.commit()
  session.commit()
RuntimeWarning: Enable tracemalloc to get the object allocation traceback
"""


def test_debug_mode_names_the_step_and_where_a_coroutine_was_made() -> None:
    slow, lost = reports_in(f"{SLOW}\n{SLOW}\nsome other line\n{LOST}", Path("/here"), Detector.ASYNCIO)
    assert (slow.times, lost.times) == (2, 1)
    assert (slow.rule, str(slow.frame)) == (
        "slow step", "uvicorn/protocols/http/h11_impl.py:411 in RequestResponseCycle.run_asgi",
    )  # fmt: skip
    assert (lost.rule, str(lost.frame)) == ("never awaited", "target_apps/shop/buggy.py:4 in label")


def test_where_a_step_was_made_is_not_where_it_ran() -> None:
    log = "Executing <Handle <TaskWakeupMethWrapper object at 0x7f>() created at /lib/python3.11/asyncio/tasks.py:645> took 0.121 seconds"
    (slow,) = reports_in(log, Path("/here"), Detector.ASYNCIO)
    assert slow.frame is None


def test_blockbuster_names_the_innermost_line_of_the_app_and_not_the_probe() -> None:
    app_frame = ["/here/target_apps/shop/buggy.py", 4, "label"]
    library = ["/venv/lib/python3.11/site-packages/requests/utils.py", 252, "get_netrc_auth"]
    probe = ["/here/harness/probe/home.py", 1, "run"]
    stacks = [[app_frame, library], [library], [app_frame, probe]]
    log = "".join(f"{TELLS}{json.dumps({'call': 'os.stat', 'stack': stack})}\n" for stack in stacks)
    with_app, without = reports_in(log, Path("/here"), Detector.BLOCKBUSTER)
    assert str(with_app.frame) == "target_apps/shop/buggy.py:4 in label"
    assert without.frame is None
    assert "requests/utils.py in get_netrc_auth" in without.text


def test_of_mypy_only_errors_count() -> None:
    lines = [{"file": "a.py", "line": 3, "code": "misc", "message": "no", "severity": s} for s in ("error", "note")]
    assert parse_mypy("\n".join(map(json.dumps, lines))) == [(Path("a.py"), 3, "misc", "no")]


def diagnosed(found: Cause, **frame: int) -> dict[str, Look]:
    """The harness' looks at a shop that states a blocked loop, when one line holds the loop, or connections are opened anew."""
    holds = (LoopHold(user=builders.frame(4, "label"), offender=None, route="/", held_s=9.0, times=9),)
    buggy = replace(
        builders.result("buggy", requests=100, connects_per_request=2.0, loop_held_share=0.9),
        holds=holds if found is Cause.LOOP_BLOCKED else (),
    )
    run = builders.run(shop(), [buggy, builders.result("fixed", loop_held_share=0.0)])
    return {k.variant: k for k in looks_of(run, judge(run)) if k.detector is Detector.HARNESS}


def test_of_the_harness_only_the_stated_cause_counts() -> None:
    right, wrong = diagnosed(Cause.LOOP_BLOCKED), diagnosed(Cause.CONNECTION_CHURN)
    assert [r.rule for r in right["buggy"].reports] == ["loop_blocked"]
    assert wrong["buggy"].reports == ()
    assert right["fixed"] == Look(detector=Detector.HARNESS, pair="shop", variant="fixed")


def test_a_variant_without_a_valid_trial_was_not_diagnosed() -> None:
    trials = [builders.trial(1, "buggy", invalid=("disturbed",)), builders.trial(2, "fixed")]
    run = builders.run(shop(), [builders.result("fixed", loop_held_share=0.0)], trials)
    inside = {k.variant: k.broke for k in looks_of(run, judge(run)) if k.detector is Detector.HARNESS}
    assert inside == {"buggy": NO_TRIAL, "fixed": None}


@pytest.mark.parametrize(
    ("buggy", "fixed", "mark"),
    [
        ([builders.ANSWER], [builders.ANSWER], Mark.MISSED),
        ([SequentialAnswer(name="GET /", status=500, body_digest="")], [builders.ANSWER], Mark.FOUND),
        ([], [builders.ANSWER], Mark.BROKE),
    ],
)
def test_one_user_finds_what_answers_otherwise(
    buggy: list[SequentialAnswer], fixed: list[SequentialAnswer], mark: Mark
) -> None:
    trials = [
        builders.trial(1, "buggy", sequential=tuple(buggy)),
        builders.trial(2, "fixed", sequential=tuple(fixed)),
        builders.trial(3, "fixed", sequential=()),  # only the first trial of a variant makes the check
    ]
    run = builders.run(shop(), [], trials)
    looks = {(k.detector, k.pair, k.variant): k for k in looks_of(run, judge(run))}
    assert score(shop(), Detector.SEQUENTIAL, looks).mark is mark


def test_the_document_counts_what_was_looked_at_and_keeps_apart_what_broke() -> None:
    pair = shop()
    scores = [scored(d) for d in Detector if d not in (Detector.RUFF, Detector.MYPY, Detector.HARNESS)]
    scores += [scored(Detector.RUFF, [report("ASYNC251", 4)], [report("B006", 4, variant="fixed")])]
    scores += [scored(Detector.MYPY, broke="mypy ended with status 2"), score(pair, Detector.HARNESS, {})]
    text = render_document([pair], scores, Evidence(measured="2026-11-21", versions={"ruff": "0.15"}))
    assert "| ruff | 1 of 1 | 1 of 1 | 1 | 0 | 0 | 0 |" in text
    assert "| mypy --strict | – | – | – | – | 1 | 0 |" in text
    assert "| harness | – | – | – | – | 0 | 1 |" in text
    assert "**line** `ASYNC251` ⚠" in text
    assert "Found here: pool 1 of 1." in text
    assert "mypy ended with status 2" in text
    assert "looked on 2026-11-21: ruff 0.15" in text
    assert "There is no run yet" in text


def test_evidence_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    look = Look(detector=Detector.RUFF, pair="shop", variant="buggy", reports=(report("ASYNC251", 4),))
    evidence = Evidence(looks=(look,), measured="2026-11-21", versions={"ruff": "0.15"})
    save_evidence(tmp_path, evidence)
    assert load_evidence(tmp_path) == evidence
    (tmp_path / FILE).write_text('{"looks": 3}')
    with pytest.raises(UsageError, match="is damaged: looks"):
        load_evidence(tmp_path)


def test_the_stored_document_is_what_the_stored_evidence_gives() -> None:
    board = keep_score(ROOT, run=None, refresh=False)
    stored = (ROOT / "docs/detectors.md").read_text()
    assert stored == render_document(board.pairs, board.scores, board.evidence), (
        "renew it with: harness detectors --write docs/detectors.md"
    )


def test_a_tool_that_fails_breaks_its_looks(tmp_path: Path) -> None:
    pair = load_pair(ROOT, "blocking_sleep")  # whose files are not there
    (look, _) = look_statically(tmp_path, [pair], Detector.MYPY)
    assert look.broke is not None
    assert look.reports == ()


def test_blockbuster_that_is_not_installed_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "blockbuster", None)
    with pytest.raises(SetupError, match="pip install blockbuster"):
        list(
            live.look_live(
                ROOT, [], [Detector.BLOCKBUSTER], postgres="embedded", logs=tmp_path / "logs", tell=lambda _: None
            )
        )
    assert not (tmp_path / "logs").exists()


def test_pair_without_refresh_is_refused() -> None:
    done = CliRunner().invoke(app, ["detectors", "--pair", "blocking_sleep"])
    assert isinstance(done.exception, UsageError)


def test_ruff_debug_mode_and_blockbuster_find_a_blocking_sleep(
    embedded_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PROFILE", replace(live.PROFILE, window_s=0.3))
    pair = load_pair(ROOT, "blocking_sleep")
    # past debug mode's threshold also where a sleep ends a little early
    slower = replace(pair, settings=pair.settings | {"label_s": 0.15})
    asked = [Detector.ASYNCIO, Detector.BLOCKBUSTER]
    looks = look_statically(ROOT, [pair], Detector.RUFF)
    looks += live.look_live(
        ROOT, [slower], asked, postgres=embedded_server.url, logs=tmp_path / "logs", tell=lambda _: None
    )
    by = {(k.detector, k.pair, k.variant): k for k in looks}
    ruff, debug, blockbuster = (score(pair, d, by) for d in (Detector.RUFF, *asked))
    assert [k.broke for k in looks] == [None] * len(looks)
    assert (ruff.mark, [r.rule for r in ruff.found]) == (Mark.LINE, ["ASYNC251"])
    assert (blockbuster.mark, [r.rule for r in blockbuster.found]) == (Mark.LINE, ["time.sleep"])
    # on a busy machine a step of the fixed variant may be slow as well
    assert any(
        r.rule == "slow step" and isinstance(r.frame, Frame) for r in by[Detector.ASYNCIO, pair.name, "buggy"].reports
    )
    assert debug.mark in (Mark.FOUND, Mark.MISSED)
