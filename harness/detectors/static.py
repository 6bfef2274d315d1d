"""ruff and mypy over the variants' files, without the project's exemptions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from os import devnull
from pathlib import Path

from harness.detectors.record import VARIANTS, Detector, Look, Report
from harness.errors import SetupError
from harness.inside import Frame
from harness.record import Pair, Variant
from harness.verdict import function_around

RUFF_RULES = "ASYNC,FAST,B,BLE,E7"
RUFF = (
    "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa", "--select", RUFF_RULES, "--target-version", "py311",
    "--output-format", "json",
)  # fmt: skip
MYPY = (
    "mypy", "--strict", "--config-file=", f"--cache-dir={devnull}", "--follow-imports=silent", "--output", "json",
)  # fmt: skip
TIME_LIMIT_S = 300.0

Found = tuple[Path, int, str, str]  # file, line, rule, text


def look_statically(root: Path, pairs: Sequence[Pair], detector: Detector) -> list[Look]:
    """What ruff or mypy says of the buggy and the fixed variant of each pair, from one call.

    A call that fails gives looks that broke. Raises SetupError when the tool is not installed.
    """
    command, parse = (RUFF, parse_ruff) if detector is Detector.RUFF else (MYPY, parse_mypy)
    variants = [(pair, pair.variants[name]) for pair in pairs for name in VARIANTS if name in pair.variants]
    try:
        found = parse(_output(root, command, [variant.file for _, variant in variants]))
        broke = None
    except ValueError as error:
        found, broke = [], str(error)
    by_file: dict[Path, list[Found]] = defaultdict(list)
    for report in found:
        by_file[(root / report[0]).resolve()].append(report)
    return [
        Look(
            detector=detector,
            pair=pair.name,
            variant=variant.name,
            reports=tuple(_report(f, variant) for f in by_file[(root / variant.file).resolve()]),
            broke=broke,
        )
        for pair, variant in variants
    ]


def parse_ruff(output: str) -> list[Found]:
    """ruff's JSON. Raises ValueError when it is something else."""
    return [
        (Path(found["filename"]), found["location"]["row"], found["code"] or "syntax", found["message"])
        for found in json.loads(output)
    ]


def parse_mypy(output: str) -> list[Found]:
    """mypy's JSON, an object a line; notes are left out. Raises ValueError when it is something else."""
    objects = [json.loads(line) for line in output.splitlines() if line.strip()]
    return [
        (Path(found["file"]), found["line"], found["code"] or "syntax", found["message"])
        for found in objects
        if found["severity"] == "error"
    ]


def _report(found: Found, variant: Variant) -> Report:
    _, line, rule, text = found
    function = function_around(variant.source, line) or "<module>"
    return Report(rule=rule, frame=Frame(file=variant.file, line=line, function=function), text=text)


def _output(root: Path, command: Sequence[str], files: Sequence[str]) -> str:
    """What the tool prints of the files. Raises ValueError when it fails otherwise than by finding something."""
    tool = command[0]
    if find_spec(tool) is None:
        raise SetupError(f"{tool} is not installed: pip install {tool}, or take the stored looks without --refresh")
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command, *files], cwd=root, capture_output=True, text=True, timeout=TIME_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{tool} had not ended after {TIME_LIMIT_S:.0f} s") from None
    if done.returncode not in (0, 1):  # 1: something was found
        last = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise ValueError(f"{tool} ended with status {done.returncode}: {last[-1]}")
    return done.stdout
