"""The log of a target process -> what asyncio's debug mode, or blockbuster, reported in it. Pure."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.detectors.hook import TELLS
from harness.detectors.record import Detector, Report
from harness.inside import Frame

SLOW, LOST = "slow step", "never awaited"
_SLOW = re.compile(r"^Executing (?P<what>.+) took (?P<s>[\d.]+) seconds$")
_PLACE = re.compile(
    r"\b(?!created\b)(?P<function>\w[\w.<>]*?)(?:\(\))? (?:running at|done, defined at|at) (?P<file>[^\s>]+):(?P<line>\d+)"
)
_LOST = re.compile(
    r"^(?P<file>\S+):(?P<line>\d+): RuntimeWarning: (?P<text>coroutine '(?P<name>[^']+)' was never awaited)$"
)
_CREATED = "Coroutine created at (most recent call last)"
_FILE = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>.+)$')
_PLAIN = {  # what asyncio logs without a place in its first line
    "Task was destroyed but it is pending!": "task destroyed",
    "Task exception was never retrieved": "exception not retrieved",
}


def reports_in(text: str, root: Path, detector: Detector) -> tuple[Report, ...]:
    """Each kind of report and place once, in the order of their first appearance.

    How often debug mode said it is counted; blockbuster's hook tells of each stack once, which says nothing of how often.
    """
    found = _of_asyncio(text.splitlines(), root) if detector is Detector.ASYNCIO else _of_blockbuster(text, root)
    said: dict[tuple[str, Frame | None], list[Report]] = defaultdict(list)
    for report in found:
        if report.frame is None or not report.frame.file.startswith("harness/"):  # the probe is ours, not the app's
            said[report.rule, report.frame].append(report)
    counted = detector is Detector.ASYNCIO
    return tuple(replace(reports[0], times=len(reports) if counted else 1) for reports in said.values())


def _of_asyncio(lines: list[str], root: Path) -> Iterator[Report]:
    for n, line in enumerate(lines):
        if slow := _SLOW.match(line):
            place = _PLACE.search(slow["what"])
            frame = _frame(root, place["file"], place["line"], place["function"]) if place else None
            yield Report(rule=SLOW, frame=frame, text=f"took {float(slow['s']):.2f} seconds")
        elif lost := _LOST.match(line):
            created = _created(lines[n + 1 :]) or (lost["file"], lost["line"], "<unknown>")
            yield Report(rule=LOST, frame=_frame(root, *created), text=lost["text"])
        elif line in _PLAIN:
            yield Report(rule=_PLAIN[line], frame=None, text=line)
        elif "RuntimeError: Non-thread-safe operation" in line:
            yield Report(rule="non-thread-safe", frame=None, text=line.partition("RuntimeError: ")[2])


def _created(after: list[str]) -> tuple[str, str, str] | None:
    """The innermost frame of the traceback of a coroutine's making, which debug mode adds to the warning."""
    if not after or after[0] != _CREATED:
        return None
    last = None
    for line in after[1:]:
        if found := _FILE.match(line):
            last = found
        elif not line.startswith("    "):
            break
    return (last["file"], last["line"], last["function"]) if last else None


def _of_blockbuster(text: str, root: Path) -> Iterator[Report]:
    for line in text.splitlines():
        if line.startswith(TELLS):
            told = json.loads(line.removeprefix(TELLS))
            stack = [_frame(root, *f) for f in told["stack"]]
            if not any(f.file.startswith("harness/probe/") for f in stack[-3:]):  # the probe's own calls
                # the innermost frame of the catalogue's own code: where a reader of the traceback would look
                mine = [f for f in stack if f.file.startswith("target_apps/")]
                caller = next((f for f in reversed(stack) if not _of_python(f)), None)
                text = f"blocking call to {told['call']}" + (
                    f" from {caller.file} in {caller.function}" if caller else ""
                )
                yield Report(rule=told["call"], frame=mine[-1] if mine else None, text=text)


def _of_python(frame: Frame) -> bool:
    """Whether a frame is of the standard library, whose files lie beside the installed packages."""
    return frame.file.startswith("<") or "/" not in frame.file or frame.file.split("/")[0] in sys.stdlib_module_names


def _frame(root: Path, file: str, line: int | str, function: str) -> Frame:
    """A place whose file is relative to the catalogue, or to where packages are installed."""
    path = Path(file)
    if path.is_relative_to(root):
        shown = str(path.relative_to(root))
    else:
        shown = re.sub(r"^.*/(?:site-packages|lib/python[\d.]+)/", "", path.as_posix()).lstrip("/")
    return Frame(file=shown, line=int(line), function=function)
