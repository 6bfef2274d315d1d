"""What the command line calls a version -> how it is started."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.bench import catalogue_subjects
from harness.catalog import catalogue_root, load_pairs
from harness.errors import UsageError
from harness.own import VARIANT, OwnApp, own_plan
from harness.record import Pair
from harness.staging import Subject


@dataclass(frozen=True)
class Interpreter:
    """Another environment's Python, and a folder from which it can import the harness."""

    python: str
    home: Path


@dataclass(frozen=True, kw_only=True)
class Version:
    label: str
    pair: Pair
    variant: str
    subject: Subject
    python: Interpreter | None = None  # None: the one that runs the harness


def is_pair(name: str) -> bool:
    """Whether it is meant as a pair's variant, ``pair/variant``."""
    return re.fullmatch(r"[\w-]+/[\w-]+", name) is not None


def pair_versions(a: str, b: str) -> tuple[Version, Version]:
    """Two variants of one pair. Raises UsageError where there are none of these names, or of two pairs."""
    root = catalogue_root()
    (pair_a, variant_a), (pair_b, variant_b) = (name.split("/") for name in (a, b))
    (pair,) = load_pairs(root, [pair_a])
    if pair_b != pair_a:
        load_pairs(root, [pair_b])
        raise UsageError(f"{a} and {b} are of two pairs, with unlike routes; gate two variants of one pair")
    if pair.fault is not None:
        raise UsageError(
            f"{pair_a} restarts Postgres, which both versions may share; measure it with harness bench {pair_a}"
        )
    subjects = catalogue_subjects(root, [pair])
    for name, variant in ((a, variant_a), (b, variant_b)):
        if variant not in pair.variants:
            raise UsageError(f"{name} does not exist; the pair has {', '.join(f'{pair_a}/{v}' for v in pair.variants)}")
    version_a, version_b = (
        Version(label=name, pair=pair, variant=variant, subject=subjects[pair.name, variant])
        for name, variant in ((a, variant_a), (b, variant_b))
    )
    return version_a, version_b


def own_version(
    name: str, own: OwnApp, *, app_dir: Path | None = None, env: Sequence[str] = (), label: str | None = None
) -> Version:
    """``module:app`` or ``dir#module:app``. Raises UsageError, which names the flag, for whatever cannot be used.

    own: what both versions share; app_dir and env: what only this one has.
    """
    folder, mark, target = name.rpartition("#")
    if "://" in name:
        raise UsageError(f"{name} is a URL; a gate starts both versions itself: give module:app or dir#module:app")
    if mark and app_dir is not None:
        raise UsageError(f"{name} has a folder already; leave --app-dir-a or --app-dir-b out")
    chosen = Path(folder) if mark else app_dir
    plan = own_plan(
        replace(own, target=target, app_dir=chosen, env=(*own.env, *env)), out=Path("reports"), seed=1, command="gate"
    )
    (pair,) = plan.pairs
    return Version(label=label or name, pair=pair, variant=VARIANT, subject=plan.subjects[pair.name, VARIANT])
