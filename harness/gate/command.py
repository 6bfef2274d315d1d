"""The verb ``harness gate``: its flags, and what follows from them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.errors import UsageError
from harness.signals import interrupt_on_termination


def gate(
    a: Annotated[str | None, typer.Argument(metavar="A", help="pair/variant, module:app or dir#module:app.")] = None,
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="The version that is judged. With --base, the only one named.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="REV", help="A is this git revision of what B names here.")
    ] = None,
    locustfile: Annotated[
        Path | None,
        typer.Option("--locustfile", "-f", metavar="LOCUSTFILE", help="The scenario; a pair brings its own."),
    ] = None,
    users: Annotated[int | None, typer.Option(metavar="N", help="Users who each wait for their answer.")] = None,
    rate: Annotated[float | None, typer.Option(metavar="R", help="Requests a second that arrive by the clock.")] = None,
    canary: Annotated[
        str | None, typer.Option(metavar="PATH", help="Path of a light route, asked beside the load.")
    ] = None,
    think: Annotated[float | None, typer.Option(metavar="S", help="Seconds between a user's tasks.")] = None,
    factory: Annotated[bool, typer.Option("--factory", help="module:name is a function that makes the app.")] = False,
    env: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A variable for both apps; may be repeated.")
    ] = None,
    env_a: Annotated[list[str] | None, typer.Option(metavar="K=V", help="A variable for A alone.")] = None,
    env_b: Annotated[list[str] | None, typer.Option(metavar="K=V", help="A variable for B alone.")] = None,
    app_dir_a: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to import A from.")] = None,
    app_dir_b: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to import B from.")] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="The most it may take: 120s, 5m.")] = "120s",
    window: Annotated[
        float | None,
        typer.Option(
            metavar="S", help="Load of each server in a block.", show_default="0.9 to 5, by A's response time"
        ),
    ] = None,
    warmup: Annotated[
        float | None,
        typer.Option(metavar="S", help="Load before each turn, which does not count.", show_default="0.04 to 1"),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Decide on this alone; may be repeated.")
    ] = None,
    margin: Annotated[list[str] | None, typer.Option(metavar="NAME=SHARE", help="What is tolerated of it.")] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Chance of calling a change where there is none.", show_default="0.01")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML with alpha, metrics, required, [margins].")] = None,
    postgres: Annotated[str, typer.Option(help="For pairs: embedded, docker or a postgresql:// URL.")] = "embedded",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the order and of the load.")] = 1,
    out_dir: Annotated[Path, typer.Option("--out", help="Where the folder with the results is made.")] = Path(
        "reports"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of the table.")] = False,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge pairs by the counts and ratios in this file, not A by B.")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write the baseline anew instead.")] = False,
    other_machine: Annotated[
        bool, typer.Option("--other-machine", help="The baseline is another machine's: compare what no machine moves.")
    ] = False,
) -> None:
    """Judge version B of an app against version A, side by side in one job.

    Exit codes: 0 no worse within the margins; 1 a regression; 2 bad input; 3 inconclusive; 130 interrupted.
    """
    from harness.gate.inputs import Named, budget_s, versions, warmup_s, window_s
    from harness.gate.live import GatePlan, run_gate
    from harness.gate.metrics import rules_from
    from harness.gate.publishing import publish, result_folder
    from harness.gate.terminal import print_look, print_result
    from harness.own import OwnApp

    out, err = Console(), Console(stderr=True)
    interrupt_on_termination()
    if baseline is not None:
        from harness.gate.against import gate_on_baseline

        pairs = [name for name in (a, b) if name is not None]
        try:
            code = gate_on_baseline(
                out, err, baseline, pairs, update=update, other_machine=other_machine, out_dir=out_dir
            )
        except KeyboardInterrupt:
            err.print("interrupted: nothing is concluded")
            code = 130
        raise typer.Exit(code)
    if update or other_machine:
        flag = "--update" if update else "--other-machine"
        raise UsageError(f"{flag} is about a baseline; name its file with --baseline FILE")
    rules = rules_from(config, names=metric or (), margins=margin or (), alpha=alpha)
    own = OwnApp(
        target="", locustfile=locustfile or Path(), users=users, rate_rps=rate, canary=canary, think_s=think, factory=factory,
        env=env or (),
    )  # fmt: skip
    named = Named(a=a, b=b, base=base, app_dirs=(app_dir_a, app_dir_b), env=(env_a or (), env_b or ()))
    length_s, each_s, before_s = budget_s(budget), window_s(window), warmup_s(warmup)
    try:
        with ExitStack() as stack:
            version_a, version_b, catalogue = versions(stack, named, own)
            folder = stack.enter_context(result_folder(out_dir))
            result = run_gate(
                GatePlan(
                    a=version_a, b=version_b, logs=folder / "logs", rules=rules, budget_s=length_s, window_s=each_s,
                    warmup_s=before_s,
                    seed=seed, postgres=postgres, catalogue=catalogue,
                ),
                partial(print_look, err),
            )  # fmt: skip
            publish(folder, result)
    except KeyboardInterrupt:
        err.print("interrupted: nothing is concluded, nothing is kept")
        raise typer.Exit(130) from None
    if json:
        sys.stdout.write((folder / "gate.json").read_text(encoding="utf-8"))
    else:
        print_result(out, result)
        out.print(f"results: {folder}", highlight=False, soft_wrap=True)
    raise typer.Exit(result.decision.exit_code)
