"""A stored run -> what the sequential check and the harness' own diagnosis say in it. Pure."""

from __future__ import annotations

from harness.detectors.record import VARIANTS, Detector, Look, Report, RunOrigin
from harness.judgement import DiagnosisResult, RunVerdict
from harness.record import Cause, Run

NO_ANSWER = "no answer to a single user was kept"
NOT_REPEATED = "one user does not get the same answers from the fixed variant twice"
NO_TRIAL = "no trial of the variant is valid"


def looks_of(run: Run, verdict: RunVerdict) -> list[Look]:
    """The looks at every pair that the run has both variants of. The verdict is that of the run."""
    looks: list[Look] = []
    for pair in run.pairs:
        if set(VARIANTS) <= set(pair.variants) and any(t.pair == pair.name for t in run.trials):
            looks += _one_user(run, pair.name)
            results = {d.variant: d for p in verdict.pairs if p.pair == pair.name for d in p.diagnoses}
            looks += [_inside(pair.name, v, results.get(v), pair.variants["buggy"].cause) for v in VARIANTS]
    return looks


def origin_of(run: Run) -> RunOrigin:
    """What is told of the run."""
    return RunOrigin(id=run.id, measured=run.started_utc[:10], profile=run.profile.name, cores=run.machine.cores)


def _one_user(run: Run, pair: str) -> list[Look]:
    """One user, one request at a time: is there any answer from the buggy variant that the fixed one does not give?"""
    asked = [t for t in run.trials if t.pair == pair and t.sequential]  # a variant's first trial alone makes the check
    answers = {v: {t.sequential for t in asked if t.variant == v} for v in VARIANTS}
    broke = None
    if not answers["buggy"] or not answers["fixed"]:
        broke = NO_ANSWER
    elif len(answers["fixed"]) > 1:
        broke = NOT_REPEATED
    differ = broke is None and answers["buggy"] != answers["fixed"]
    other = Report(rule="other answers", frame=None, text="one user gets other answers than from the fixed variant")
    return [
        Look(
            detector=Detector.SEQUENTIAL, pair=pair, variant=v, broke=broke,
            reports=(other,) if differ and v == "buggy" else (),
        )
        for v in VARIANTS
    ]  # fmt: skip


def _inside(pair: str, variant: str, result: DiagnosisResult | None, stated: Cause | None) -> Look:
    """What the harness names; on the buggy variant only the cause that the pair states, and only as the first one."""
    found = result.found if result is not None else ()
    if variant == "buggy":
        found = found[:1] if found and found[0].cause is stated else ()
    return Look(
        detector=Detector.HARNESS,
        pair=pair,
        variant=variant,
        reports=tuple(Report(rule=d.cause.value, frame=d.frame, text=d.message) for d in found),
        broke=None if result is not None else NO_TRIAL,
    )
