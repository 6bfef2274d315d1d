"""Does the harness see into an app under the oldest and the newest libraries that it supports? Needs a package index.

    python -m tests.versions [PYTHON …]

For each interpreter (this one, when none is given) the wheel is installed into a throw-away environment; for each pair of
versions an app with two known bugs is measured there. Prints a table; ends with 1 when a bug is not named in one of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.errors import UsageError
from harness.record import Cause, Run
from harness.store import load_run
from harness.verdict import judge
from tests.wheel import ROOT, Installed, build_wheel, pip

OLDEST_FASTAPI, OLDEST_SQLALCHEMY = "0.100.0", "1.4.54"
PINS: tuple[tuple[str, ...], ...] = (
    (f"fastapi=={OLDEST_FASTAPI}", f"sqlalchemy=={OLDEST_SQLALCHEMY}"),
    # SQLAlchemy's own first releases cannot be imported on newer Pythons
    (
        f"fastapi=={OLDEST_FASTAPI}",
        "sqlalchemy==2.0.0; python_version<'3.13'",
        "sqlalchemy==2.0.36; python_version>='3.13'",
    ),
    ("fastapi", f"sqlalchemy=={OLDEST_SQLALCHEMY}"),
    ("fastapi", "sqlalchemy<2.1"),
    ("fastapi", "sqlalchemy"),
)
LOAD = ("--users", "20", "--seconds", "3", "--warmup", "0.5", "--blocks", "1")
SHOWN = ("fastapi", "starlette", "sqlalchemy")


COLUMNS = "{:<12}" * (len(SHOWN) + 1) + "{}"


def main() -> int:
    pythons = sys.argv[1:] or [sys.executable]
    good = True
    print(COLUMNS.format("Python", *SHOWN, "result"))
    with tempfile.TemporaryDirectory() as temporary:
        wheel = build_wheel(Path(temporary) / "dist")
        for n, python in enumerate(pythons):
            installed = Installed(Path(temporary) / f"env{n}")
            subprocess.run([python, "-m", "venv", "--without-pip", str(installed.folder)], check=True)
            pip(installed.python, str(wheel))
            for pins in PINS:
                row, problem = try_versions(installed, pins)
                print(COLUMNS.format(*row, problem or "✓ both bugs named"), flush=True)
                good = good and problem is None
    return 0 if good else 1


def try_versions(installed: Installed, pins: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Measures the app under these versions: what was really installed, and what is wrong, if anything."""
    asked = (*pins, "", "")[: len(SHOWN) + 1]
    try:
        pip(installed.python, "--upgrade", *pins)
    except subprocess.CalledProcessError as error:
        return asked, f"✗ not installed: {error.stderr.strip().splitlines()[-1]}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(ROOT / "tests" / "apps", Path(temporary) / "apps"))
        ended = installed.harness("run", "own_shop:app", "-f", "locust_shop.py", *LOAD, cwd=folder)
        try:
            run = load_run(folder / "reports" / "latest")
        except UsageError:
            return asked, f"✗ exit {ended.returncode}: {ended.stderr.strip()[-200:]}"
    return (run.machine.python, *(run.machine.packages.get(name, "") for name in SHOWN)), _problem(run)


def _problem(run: Run) -> str | None:
    """What the harness failed to see."""
    found = {d.cause: d.frame.function for d in judge(run).pairs[0].diagnoses[0].found if d.frame}
    wanted = {Cause.LOOP_BLOCKED: "blocks", Cause.CONNECTION_LEAKED: "get_db"}
    if found != wanted:
        return f"✗ named {found}"
    figures = run.results[0].figures
    unseen = [
        n for n in ("queries_per_request", "tokens_per_request", "checkout_wait_p95_s") if not getattr(figures, n)
    ]
    return f"✗ not seen: {', '.join(unseen)}" if unseen else None


if __name__ == "__main__":
    sys.exit(main())
