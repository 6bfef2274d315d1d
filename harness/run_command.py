"""The verb ``harness run``: its flags, and the app of the user's own that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.load_command import ExpectWorkers, LoadMaster, LoadWorkers, TargetHost
from harness.load_source import LOOPBACK, load_source
from harness.measuring import REPORTS, Json, OutDir, command_line, free, measure
from harness.signals import interrupt_on_termination


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="module:app, started under the probe; or the URL of an app that runs, seen from outside.",
        ),
    ],
    locustfile: Annotated[
        Path, typer.Option("--locustfile", "-f", metavar="LOCUSTFILE", help="The Locust file that drives it.")
    ],
    users: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Users who each wait for their answer; with --rate, the most requests in flight."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="Requests a second that arrive by the clock, whether or not earlier ones are answered."
        ),
    ] = None,
    arrivals: Annotated[
        str | None,
        typer.Option(metavar="poisson|even", help="How they arrive at a --rate: poisson (the default) or even."),
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="S", help="Length of each measured window.")] = 10.0,
    warmup: Annotated[
        float, typer.Option(metavar="S", help="Seconds of load before each window, which do not count.")
    ] = 2.0,
    blocks: Annotated[int, typer.Option(metavar="N", help="Windows; the app is started anew for each.")] = 2,
    app_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to import and run the app in.", show_default="the current one"),
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="An environment variable for the app, K=V; may be repeated.")
    ] = None,
    factory: Annotated[bool, typer.Option("--factory", help="module:name is a function that makes the app.")] = False,
    canary: Annotated[
        str | None, typer.Option(metavar="PATH", help="Path of a light route, asked 20 times a second beside the load.")
    ] = None,
    think: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds between a user's tasks, instead of the Locust file's wait_time."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of arrivals and of the Locust file's choices.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the app; 0 for any free one.")] = 0,
    load_workers: LoadWorkers = 1,
    load_master: LoadMaster = None,
    expect_workers: ExpectWorkers = None,
    target_host: TargetHost = LOOPBACK,
    out_dir: OutDir = REPORTS,
    json: Json = False,
) -> None:
    """Measure an app of your own under any Locust file.

    It runs in this environment, with its own settings and its own database, which the harness neither makes nor cleans up.
    The same report as for a pair says how it fares and, when it was started here, what serialises, leaks or waits in it.

    Exit codes: 0 measured; 2 bad input; 3 a trial is invalid, no conclusion; 130 interrupted, what was measured is kept.
    """
    from harness.own import OwnApp, own_plan

    interrupt_on_termination()
    own = OwnApp(
        target=target,
        locustfile=locustfile,
        users=users,
        rate_rps=rate,
        arrivals=arrivals,
        think_s=think,
        canary=canary,
        seconds=seconds,
        warmup_s=warmup,
        blocks=blocks,
        app_dir=app_dir,
        env=env or (),
        factory=factory,
        port=free(port),
        load=load_source(load_workers, load_master, expect_workers, target_host, served="://" not in target),
    )
    measure(own_plan(own, out=out_dir, seed=seed, command=command_line()), json=json)
