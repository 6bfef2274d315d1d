"""What is not as it should be, as workflow commands of GitHub Actions: shown at the line in a pull request.

The form is that of docs.github.com, "Workflow commands for GitHub Actions": ``::error file=F,line=N,title=T::message``.
"""

from __future__ import annotations

from harness.inside import Frame
from harness.judgement import Diagnosis, PairVerdict, RunVerdict
from harness.record import Pair, Run
from harness.report import summary
from harness.report.words import CAUSES


def render_annotations(run: Run, verdict: RunVerdict) -> str:
    """A line each: an error for all that failed in a pair, a warning for what was found in an app of the user's own, or is invalid."""
    pairs = {p.name: p for p in run.pairs}
    lines: list[str] = []
    for judged in summary.whole(run, verdict).pairs:
        pair = pairs[judged.pair]
        lines += _failed(pair, judged) if pair.judged else [_found(d) for r in judged.diagnoses for d in r.found]
    lines += [
        _command("warning", None, "invalid trials", f"{times}×: {reason}")
        for reason, times in summary.invalid_reasons(run)
    ]
    return "".join(f"{line}\n" for line in lines)


def _failed(pair: Pair, judged: PairVerdict) -> list[str]:
    """Everything that failed in a pair, at the line that was named in it, or else at the bug's."""
    named = next((f.frame for d in judged.diagnoses for f in d.found if f.frame and _is_file(f.frame)), None)
    known = next((Frame(file=v.file, line=v.bug_line, function="") for v in pair.variants.values() if v.bug_line), None)
    return [_command("error", named or known, pair.name, text) for text in summary.failures(judged)]


def _found(d: Diagnosis) -> str:
    place = d.frame if d.frame and _is_file(d.frame) else None
    return _command("warning", place, CAUSES[d.cause], f"{d.message} {d.evidence}".strip())


def _is_file(frame: Frame) -> bool:
    """Whether the frame is in the user's code: of others the module's name is known, not the file."""
    return frame.file.endswith(".py")


def _command(kind: str, place: Frame | None, title: str, message: str) -> str:
    properties = {"file": place.file, "line": str(place.line)} if place else {}
    told = ",".join(f"{name}={_property(value)}" for name, value in (properties | {"title": title}).items())
    return f"::{kind} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
