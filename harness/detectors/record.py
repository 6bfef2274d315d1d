"""What detectors said of the catalogue's variants: frozen records, and the file that keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.inside import Frame
from harness.store import disk_errors, write_atomically


class Detector(StrEnum):
    """Who looks, in the order of the table."""

    SEQUENTIAL = "sequential check"
    RUFF = "ruff"
    MYPY = "mypy --strict"
    ASYNCIO = "asyncio debug"
    BLOCKBUSTER = "blockbuster"
    HARNESS = "harness"


STATIC = (Detector.RUFF, Detector.MYPY)
LIVE = (Detector.ASYNCIO, Detector.BLOCKBUSTER)
FROM_RUN = (Detector.SEQUENTIAL, Detector.HARNESS)
VARIANTS = ("buggy", "fixed")  # those that are compared


@dataclass(frozen=True, kw_only=True)
class Report:
    """One thing that a detector said of a variant."""

    rule: str  # ruff's or mypy's code, the call that blocked, the cause: what kind of thing it is
    frame: Frame | None  # the place that it names; None: it names none
    text: str  # in the detector's words, on one line
    times: int = 1  # how often debug mode said it; of the others each is kept once


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one detector said of one variant."""

    detector: Detector
    pair: str
    variant: str
    reports: tuple[Report, ...] = ()
    broke: str | None = None  # why nothing can be said: the detector, or the app under it, did not get through


@dataclass(frozen=True, kw_only=True)
class RunOrigin:
    """The run that the harness' own diagnoses and the sequential check are taken from."""

    id: str
    measured: str  # the day, UTC
    profile: str
    cores: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All looks, and what they were made with."""

    looks: tuple[Look, ...] = ()
    measured: str | None = None  # the day, UTC, of the newest look that is not from a run
    versions: dict[str, str] = field(default_factory=dict)
    run: RunOrigin | None = None


_EVIDENCE = TypeAdapter(Evidence)
FILE = Path("docs") / "detectors.json"


def load_evidence(root: Path) -> Evidence:
    """The evidence stored in a catalogue; empty when there is none. Raises UsageError when the file is damaged."""
    path = root / FILE
    if not path.is_file():
        return Evidence()
    try:
        return _EVIDENCE.validate_json(path.read_bytes())
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UsageError(
            f"{path} is damaged: {where}: {error.errors()[0]['msg']}; remove it and run `harness detectors --refresh`"
        ) from error


def save_evidence(root: Path, evidence: Evidence) -> None:
    """Stores the evidence. Raises SetupError when the disk does not take it."""
    with disk_errors(root / FILE.parent):
        (root / FILE.parent).mkdir(exist_ok=True)
        write_atomically(root / FILE, _EVIDENCE.dump_json(evidence, indent=1) + b"\n")
