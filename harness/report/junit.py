"""The verdict as JUnit XML: one suite a pair; a case for each expectation, each diagnosis and the sequential check."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from harness.judgement import DiagnosisResult, ExpectationResult, PairVerdict, RunVerdict
from harness.record import Run, Trial
from harness.report import summary
from harness.report.words import bound, measured, subject, true_cause

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(run: Run, verdict: RunVerdict) -> str:
    """The document. What was not measured is an error, what was measured and is not as wanted a failure."""
    root = ET.Element("testsuites", name="harness")
    for pair in summary.whole(run, verdict).pairs:
        root.append(_suite(pair, run))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(pair: PairVerdict, run: Run) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(pair.pair), timestamp=f"{summary.started(run):%Y-%m-%dT%H:%M:%S}")
    if not any(t.pair == pair.pair for t in run.trials):
        suite.append(_unmeasured(pair))
    else:
        suite.append(_sequential(pair))
    suite.extend(_expectation(pair.pair, e) for e in pair.expectations)
    suite.extend(_diagnosis(pair.pair, d) for d in pair.diagnoses)
    suite.extend(_invalid(t) for t in run.all_trials if t.pair == pair.pair and t.invalid)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    return suite


def _case(pair: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=_clean(pair), name=_clean(name))


def _problem(case: ET.Element, kind: str, message: str, detail: str = "") -> None:
    ET.SubElement(case, kind, message=_clean(message)).text = _clean(detail or message)


def _sequential(pair: PairVerdict) -> ET.Element:
    if pair.sequential_alike is None:
        case = _case(pair.pair, "was measured")
        ET.SubElement(case, "system-out").text = _clean(f"{pair.effect}\n{pair.sequential_note}")
        return case
    says = "variants answer alike with one user" if pair.shows_alone is None else "shows with a single request"
    case = _case(pair.pair, says)
    if not pair.sequential_met:
        _problem(case, "failure", pair.sequential_note)
    return case


def _unmeasured(pair: PairVerdict) -> ET.Element:
    case = _case(pair.pair, "was measured")
    _problem(case, "error", pair.sequential_note)
    return case


def _expectation(pair: str, result: ExpectationResult) -> ET.Element:
    e = result.expectation
    case = _case(pair, f"{e.that}: {subject(e)}")
    if not result.met:
        kind = "error" if result.measured is None or result.undecided else "failure"
        _problem(case, kind, f"{measured(result)}, wanted {bound(e)}")
    return case


def _diagnosis(pair: str, d: DiagnosisResult) -> ET.Element:
    case = _case(pair, f"diagnosis of {d.variant}")
    if d.expected is None and d.found:
        text = "\n".join(f"{found.message} {found.evidence}" for found in d.found)
        ET.SubElement(case, "system-out").text = _clean(text)
    if d.cause_right is False or d.place_right is False:
        evidence = "\n".join(f"{found.message} {found.evidence}" for found in d.found)
        _problem(case, "failure", f"{summary.named(d)} ({summary.ruling(d)}), true: {true_cause(d)}", evidence)
    return case


def _invalid(trial: Trial) -> ET.Element:
    case = _case(trial.pair, f"trial {trial.id} is valid ({trial.variant}, block {trial.block})")
    _problem(case, "error", "; ".join(trial.invalid))
    return case


def _clean(text: str) -> str:
    """Text without the characters that XML cannot carry."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
