"""Does the project's own gate notice what it is there for? Four changes, each in a throw-away copy, and its verdict on each.

    python -m benchmarks.gate_catches

A fixed app whose fix is removed, an extra query, and a leak on an error path must end with exit code 1; a change that only renames
must pass. The gate is asked about the pair that was changed alone, as `make gate` asks about all of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("harness", "target_apps", "scenarios", "reports/baseline.json")
LIMIT_S = 180.0  # for one gate


@dataclass(frozen=True)
class Edit:
    """A change of one fixed app, and what the gate must make of it."""

    what: str
    pair: str
    replaced: tuple[tuple[str, str], ...]  # what stands there, and what comes in its place; wherever it stands
    exit_code: int
    said: str  # a part of what the gate says of it


EDITS = (
    Edit(
        "a fix removed", "n_plus_one",
        (("    page = page.options(selectinload(Product.photos), selectinload(Product.reviews).joinedload(Review.customer))\n", ""),),
        1, "queries_per_request was 3 and is",
    ),
    Edit(
        "an extra query", "n_plus_one",
        (("    return [show(product)", "    session.scalar(select(Product.id))\n    return [show(product)"),),
        1, "queries_per_request was 3 and is 4",
    ),
    Edit(
        "a leak on an error path", "no_finally",
        (("    try:\n        yield session\n    finally:\n        session.close()\n", "    yield session\n    session.close()\n"),),
        1, "has a bug that it had not: connection_leaked",
    ),
    Edit(
        "only renamed", "n_plus_one",
        (("ProductShown", "ProductOnPage"), ("list_products", "page_of_products"), ("get_db", "session_of_request"), ("show(", "as_shown(")),
        0, "All pairs are what they were",
    ),
)  # fmt: skip


def main() -> None:
    table = Table("change of a fixed app", "pair", "exit code", "wanted", "took", "the gate says", "met", box=None)
    met_all = True
    for edit in EDITS:
        code, output, took_s = gated(edit)
        met = code == edit.exit_code and edit.said in output
        met_all &= met
        said = next((line for line in output.splitlines() if edit.said in line), output.strip()[-120:])
        table.add_row(
            edit.what,
            edit.pair,
            str(code),
            str(edit.exit_code),
            f"{took_s:.0f} s",
            said.strip(),
            "yes" if met else "NO",
        )
    Console(width=200).print(table)
    sys.exit(0 if met_all else 1)


def gated(edit: Edit) -> tuple[int, str, float]:
    """Exit code and output of the gate over a copy of the project with this change, and how long it took in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        copy_of_the_project(project)
        change(project / "target_apps" / edit.pair / "fixed.py", edit)
        command = [sys.executable, "-m", "harness", "gate", "--baseline", "reports/baseline.json", "--other-machine"]
        begun_s = time.monotonic()
        ended = subprocess.run(
            [*command, edit.pair], cwd=project, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        return ended.returncode, ended.stdout + ended.stderr, time.monotonic() - begun_s


def copy_of_the_project(there: Path) -> None:
    """What the gate needs of it."""
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, there / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, there / name)


def change(app: Path, edit: Edit) -> None:
    """Makes the change. Exits with a sentence when the app no longer has what is to be replaced."""
    text = app.read_text(encoding="utf-8")
    for old, new in edit.replaced:
        if old not in text:
            sys.exit(
                f"{app.parent.name}/{app.name} has no {old.strip()!r} any more: {edit.what!r} must be written anew"
            )
        text = text.replace(old, new)
    app.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
