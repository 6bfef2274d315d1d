"""Pairs measured now, against a baseline that is committed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.bench import BenchPlan, catalogue_subjects, run_bench
from harness.catalog import catalogue_root, load_pairs
from harness.errors import UsageError
from harness.gate.baseline import Baseline, compare, facts_of, load_baseline, refuse_other_machine, save_baseline
from harness.machine import this_machine
from harness.record import PROFILES, Run
from harness.report import write_report
from harness.report.terminal import LiveProgress
from harness.store import load_data, load_run
from harness.verdict import judge

# Quick ones of several kinds: the loop, queries, a leak, a leak on an error path, connections, a lost write.
PAIRS = ("blocking_sleep", "n_plus_one", "return_session", "no_finally", "engine_per_request", "lost_update")


def gate_on_baseline(
    out: Console, err: Console, path: Path, names: Sequence[str], *, update: bool, other_machine: bool, out_dir: Path
) -> int:
    """Measures pairs in the quick profile and compares, or writes the baseline. Returns the exit code.

    names: pairs; none: those of the baseline. Raises UsageError for a baseline that cannot be used, SetupError as a
    bench does.
    """
    before = None if update else load_baseline(path)
    if before is not None:
        machine = this_machine(None)
        if not other_machine:
            refuse_other_machine(path, before, machine.system, machine.cores)
        if missing := [name for name in names if name not in before.pairs]:
            raise UsageError(f"{path} knows nothing of {missing[0]}; it has {', '.join(before.pairs)}")
    run = _measured(err, list(names or (before.pairs if before else PAIRS)), out_dir)
    verdict = judge(run)
    now = facts_of(run, verdict)
    invalid = [f"{p.pair}: {reason}" for p in verdict.pairs for reason in p.invalid]
    if invalid:
        out.print(f"Inconclusive: {invalid[0]}", markup=False, highlight=False, soft_wrap=True)
        return 3
    if before is None:
        save_baseline(path, now)
        out.print(f"{path} is written: review its diff", markup=False, highlight=False, soft_wrap=True)
        return 0
    return _tell(out, before, now, ratios=not other_machine)


def _tell(out: Console, before: Baseline, now: Baseline, *, ratios: bool) -> int:
    broken = compare(before, now, ratios=ratios)
    for pair in now.pairs:
        mine = [b for b in broken if b.pair == pair]
        out.print(Text(f"{'✗' if mine else '✓'} {pair}", style="red" if mine else "green"))
        for b in mine:
            out.print(
                f"    {b.variant} {b.what}".replace("     ", "    "), markup=False, highlight=False, soft_wrap=True
            )
    changed = len({b.pair for b in broken})
    out.print(
        f"{changed} of {len(now.pairs)} pairs are not what they were." if broken else "All pairs are what they were."
    )
    return 1 if broken else 0


def _measured(err: Console, names: list[str], out_dir: Path) -> Run:
    root = catalogue_root()
    pairs = load_pairs(root, names)
    plan = BenchPlan(
        pairs=pairs, subjects=catalogue_subjects(root, pairs), profile=PROFILES["quick"], postgres="embedded", catalogue=root,
        out=out_dir, seed=1, command="harness gate --baseline",
    )  # fmt: skip
    end = run_bench(plan, lambda planned: LiveProgress(err, planned=planned))
    if end.error is not None:
        raise end.error
    assert end.folder is not None, "a bench without an error has measured something"
    run = load_run(end.folder)
    write_report(end.folder, run, judge(run), load_data(end.folder))
    return run
