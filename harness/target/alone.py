"""``python -m harness.target.alone PAIR VARIANT``: one variant as an app by itself, for load from elsewhere. Without the probe.

Fills the database in DATABASE_URL, sets the pair's settings, and becomes uvicorn on port 8000 (or PORT), open to other machines.
"""

from __future__ import annotations

import os
import subprocess
import sys

from harness.catalog import catalogue_root, load_pair, load_pairs
from harness.errors import HarnessError, UsageError
from harness.record import Pair


def command_of(pair: Pair, variant: str, port: str) -> list[str]:
    """What serves the variant. Raises UsageError for one that needs more than itself and a database."""
    if variant not in pair.variants:
        raise UsageError(f"{pair.name} has no variant {variant!r}; choose one of {', '.join(pair.variants)}")
    if pair.upstream or pair.variants[variant].worker:
        raise UsageError(f"{pair.name} needs a stub upstream or a worker beside it: measure it with harness bench")
    app = f"target_apps.{pair.name}.{variant}:app"
    return [sys.executable, "-m", "uvicorn", app, "--host", "0.0.0.0", "--port", port, "--workers", str(pair.workers)]


def main() -> None:
    try:
        name, variant = sys.argv[1:]
        root = catalogue_root()
        load_pairs(root, [name])
        pair = load_pair(root, name)
        command = command_of(pair, variant, os.environ.get("PORT", "8000"))
        os.environ.update(pair.environment)
        subprocess.run([sys.executable, "-m", "target_apps.common.seed"], check=True)
    except HarnessError as error:
        sys.exit(f"harness: {error}")
    except subprocess.CalledProcessError:
        sys.exit("harness: the database in DATABASE_URL could not be filled")
    os.execv(command[0], [*command, "--no-access-log", "--log-level", "warning"])


if __name__ == "__main__":
    main()
