"""The verb ``harness bench``: its flags, and the plan that follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError
from harness.load_command import ExpectWorkers, LoadMaster, LoadWorkers, TargetHost
from harness.load_source import LOOPBACK, load_source
from harness.measuring import REPORTS, Json, OutDir, command_line, free, measure
from harness.signals import interrupt_on_termination

if TYPE_CHECKING:
    from harness.record import Profile


def bench(
    pairs: Annotated[list[str] | None, typer.Argument(help="Pairs to measure; all when none is given.")] = None,
    profile: Annotated[str, typer.Option(help="How long to measure: quick, standard or soak.")] = "standard",
    postgres: Annotated[
        str, typer.Option(help="embedded, docker, or the postgresql:// URL of a server of yours.")
    ] = "embedded",
    seed: Annotated[int, typer.Option(help="Seed of arrivals and of the scenarios' choices.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the apps under test; 0 for any free one.")] = 0,
    load_workers: LoadWorkers = 1,
    load_master: LoadMaster = None,
    expect_workers: ExpectWorkers = None,
    target_host: TargetHost = LOOPBACK,
    out_dir: OutDir = REPORTS,
    sweep: Annotated[
        str | None, typer.Option(help="Measure at these numbers of users as well, such as 1,2,4,8,16,32.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure pairs: every variant, interleaved, with a report at the end."""
    from harness.bench import BenchPlan, catalogue_subjects
    from harness.catalog import catalogue_root, load_pairs
    from harness.sweep import parse_users

    interrupt_on_termination()
    root = catalogue_root()
    chosen = load_pairs(root, pairs)
    plan = BenchPlan(
        pairs=chosen,
        subjects=catalogue_subjects(root, chosen),
        profile=_profile(profile),
        postgres=postgres,
        catalogue=root,
        out=out_dir,
        seed=seed,
        command=command_line(),
        port=free(port),
        load=load_source(load_workers, load_master, expect_workers, target_host, served=True),
        sweep=parse_users(sweep) if sweep is not None else (),
    )
    measure(plan, json=json)


def _profile(name: str) -> Profile:
    from harness.record import PROFILES

    if name not in PROFILES:
        raise UsageError(f"--profile {name!r} does not exist; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]
