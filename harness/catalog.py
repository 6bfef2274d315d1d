"""Reads the catalogue: one folder with a ``pair.toml`` for each pair -> :class:`harness.record.Pair`."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.pair_toml import PairToml, VariantToml, nearest, parse
from harness.record import Cause, Expectation, Fault, Pair, Variant, Workload

BUG_MARK = "# BUG"
VARIANT_ORDER = ("buggy", "partial", "fixed")


def catalogue_root() -> Path:
    """The folder that holds ``target_apps/`` and ``scenarios/``: the current one, else the project's own."""
    here = Path.cwd()
    if (here / "target_apps").is_dir():
        return here
    return Path(__file__).resolve().parent.parent


def pair_names(root: Path) -> list[str]:
    """Names of all pairs, sorted. Raises UsageError when there is no catalogue."""
    folder = root / "target_apps"
    if not folder.is_dir():
        raise UsageError(
            "there is no catalogue here (no folder target_apps): run this in a checkout of the project, "
            "or measure an app of your own with `harness run`"
        )
    return sorted(p.parent.name for p in folder.glob("*/pair.toml"))


def load_pairs(root: Path, names: list[str] | None = None) -> list[Pair]:
    """The named pairs in the given order, or all of them. Raises UsageError for an unknown name or a broken pair."""
    known = pair_names(root)
    for name in names or []:
        if name not in known:
            raise UsageError(f"no pair is called {name!r}{nearest(name, known)}; `harness list` shows all {len(known)}")
    return [load_pair(root, name) for name in dict.fromkeys(names or known)]


def load_pair(root: Path, name: str) -> Pair:
    """One pair. Raises UsageError that names the file and the key that is wrong."""
    folder = root / "target_apps" / name
    path = folder / "pair.toml"
    shown = path.relative_to(root)
    spec = parse(path, shown)
    variants = {v: _variant(root, folder, v, spec.variants[v], shown) for v in _ordered(spec.variants)}
    scenario = root / "scenarios" / f"{name}.py"
    if not scenario.is_file():
        raise UsageError(f"{shown}: the pair has no scenario; write scenarios/{name}.py")
    return Pair(
        name=name,
        title=spec.title,
        question=spec.question,
        theme=spec.theme,
        lesson=" ".join(spec.lesson.split()),
        look_for=" ".join(spec.look_for.split()),
        sources=tuple(spec.sources),
        claims=tuple(spec.claims),
        variants=variants,
        settings=dict(spec.settings),
        workload=Workload(**spec.workload.model_dump()),
        scenario=f"scenarios/{name}.py",
        ceilings=dict(spec.ceiling),
        failures=dict(spec.failures),
        expectations=(*(Expectation(**e.model_dump()) for e in spec.expect), *_promises(spec)),
        invariants=tuple(i.invariant() for i in spec.invariant),
        upstream=spec.upstream,
        sweep=tuple(sorted(set(spec.sweep.users))) if spec.sweep else (),
        workers=spec.workers,
        settle_s=spec.settle_s,
        blocks=spec.blocks,
        window_factor=spec.window_factor,
        fault=Fault(**spec.fault.model_dump()) if spec.fault else None,
        shows_alone=None if spec.shows_alone is None else " ".join(spec.shows_alone.split()),
    )


def _promises(spec: PairToml) -> list[Expectation]:
    """What is expected of a fixed variant whose answers promise something, without being written down."""
    if "fixed" not in spec.variants or not any("fixed" in (i.variants or ["fixed"]) for i in spec.invariant):
        return []
    return [Expectation(that="fixed keeps what it promises", metric="promises_lost", variant="fixed", at_most=0)]


def _ordered(variants: dict[str, VariantToml]) -> list[str]:
    known = [v for v in VARIANT_ORDER if v in variants]
    return known + [v for v in variants if v not in VARIANT_ORDER]


def _variant(root: Path, folder: Path, name: str, spec: VariantToml, shown: Path) -> Variant:
    path = folder / f"{name}.py"
    if not path.is_file():
        raise UsageError(f"{shown}: variants.{name}: {path.relative_to(root)} does not exist")
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.relative_to(root)}: cannot be read: {error}") from error
    marked = [n for n, line in enumerate(source.splitlines(), 1) if BUG_MARK in line]
    if len(marked) > 1 or (name == "buggy" and spec.cause is not Cause.NONE and not marked):
        raise UsageError(f"{path.relative_to(root)}: mark the bug's line with {BUG_MARK!r}, once (found {len(marked)})")
    return Variant(
        name=name,
        summary=spec.summary,
        cause=spec.cause,
        source=source,
        file=str(path.relative_to(root)),
        bug_line=marked[0] if marked else None,
        worker=spec.worker,
    )
