"""A gate's result for other programs: JSON, Markdown, JUnit, GitHub annotations, benchmark histories. Pure."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict

from harness.gate import words
from harness.gate.findings import Change, Finding
from harness.gate.live import GateResult

GATE_SCHEMA = 1


def as_json(result: GateResult) -> str:
    """Everything; of each block the figures of its windows."""
    decision = result.decision
    document = {
        "schema": GATE_SCHEMA,
        "verdict": decision.change,
        "exit_code": decision.exit_code,
        "sentence": words.verdict(result),
        "differs": decision.differs,
        **asdict(result),
    }
    return json.dumps(document, indent=1) + "\n"


def as_markdown(result: GateResult) -> str:
    """For a job's summary or a comment."""
    decision = result.decision
    lines = [f"### {_cell(words.verdict(result))}", ""]
    lines += [
        "| | metric | A | B | B/A, 90 % | margin | could have seen | A/A, 90 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for finding, control in zip(decision.findings, decision.control, strict=True):
        cells = (
            words.MARKS[finding.change] + " " + finding.change, finding.metric.label, words.value(finding, "a"),
            words.value(finding, "b"), words.change(finding), words.margin(finding), words.detectable(finding), words.change(control),
        )  # fmt: skip
        lines.append("| " + " | ".join(_cell(c) for c in cells) + " |")
    for promise in decision.promises:
        lost = [words.lost(promise, arm) for arm in ("a", "b")]
        lines.append(
            f"| {words.MARKS[promise.change]} {promise.change} | {_cell(promise.name)} | {lost[0]} | {lost[1]} | | | | |"
        )
    lines += ["", words.control(result), "", f"A: `{result.a}`, B: `{result.b}`. {words.effort(result)}"]
    lines += [f"Not judged: {name}: {why}." for name, why in decision.unmeasured.items()]
    lines += [f"Beware: {warning}." for warning in result.warnings]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def as_junit(result: GateResult) -> str:
    """A case per metric: a regression is a failure; what was not settled is skipped; A against A is a case of its own."""
    decision = result.decision
    suite = ET.Element("testsuite", name=f"gate {result.b} against {result.a}", time=f"{result.wall_s:.1f}")
    for finding in decision.findings:
        said = f"{words.value(finding, 'a')} -> {words.value(finding, 'b')}, {words.change(finding)}, margin {words.margin(finding)}"
        change = Change.INCONCLUSIVE if finding in decision.doubted else finding.change
        _case(suite, finding.metric.label, change, said)
    for promise in decision.promises:
        _case(suite, promise.name, promise.change, words.lost(promise, "b"))
    _case(suite, "A against A", Change.INCONCLUSIVE if decision.differs else Change.EQUIVALENT, words.control(result))
    cases = list(suite)
    for key, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("errors", "0")
    root = ET.Element("testsuites", name="harness gate")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, name: str, change: Change, said: str) -> None:
    case = ET.SubElement(suite, "testcase", name=name, classname="harness.gate")
    if change is Change.REGRESSION:
        ET.SubElement(case, "failure", message=said)
    elif change is Change.INCONCLUSIVE:
        ET.SubElement(case, "skipped", message=f"inconclusive: {said}")


def as_annotations(result: GateResult) -> str:
    """GitHub's workflow commands: an error for each regression, a warning where nothing is concluded, a notice when all is well."""
    decision = result.decision
    if decision.change is Change.REGRESSION:
        return "".join(
            f"::error title=Regression::{_command(f'{result.b}: {text}')}\n" for text in words.worse(decision)
        )
    kind, title = ("warning", "Inconclusive") if decision.exit_code else ("notice", "Gate passed")
    return f"::{kind} title={title}::{_command(words.verdict(result))}\n"


def _command(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def as_github_benchmark(result: GateResult, *, more_is_worse: bool) -> str:
    """For github-action-benchmark: customSmallerIsBetter, or customBiggerIsBetter, of B's figures."""
    kept = [f for f in result.decision.findings if f.metric.more_is_worse is more_is_worse and f.b is not None]
    entries = [
        {
            "name": f.metric.label,
            "unit": f.metric.unit or "count",
            "value": f.b,
            **_spread(f),
            "extra": f"B/A {words.change(f)}",
        }
        for f in kept
    ]
    return json.dumps(entries, indent=1) + "\n"


def _spread(finding: Finding) -> dict[str, str]:
    if not finding.ratio or finding.low is None or finding.high is None:
        return {}  # also where B has none of what A had: there is no share of nothing
    return {"range": f"± {(finding.high - finding.low) / 2 / finding.ratio * 100:.1f} %"}


def as_bencher(result: GateResult) -> str:
    """Bencher's metric format (BMF): benchmark -> measure -> value and bounds, of B."""
    measures = {}
    for f in result.decision.findings:
        measure: dict[str, float | None] = {"value": f.b}
        if f.ratio and f.a is not None and f.low is not None and f.high is not None:
            measure |= {"lower_value": f.a * f.low, "upper_value": f.a * f.high}
        measures[f.metric.name.replace("_", "-")] = measure
    return json.dumps({result.b: measures}, indent=1) + "\n"


FILES: dict[str, Callable[[GateResult], str]] = {
    "gate.json": as_json,
    "gate.md": as_markdown,
    "junit.xml": as_junit,
    "smaller-is-better.json": lambda result: as_github_benchmark(result, more_is_worse=True),
    "bigger-is-better.json": lambda result: as_github_benchmark(result, more_is_worse=False),
    "bencher.json": as_bencher,
}
