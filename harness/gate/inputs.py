"""From the command line's words to the two versions of a gate."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from harness.catalog import catalogue_root
from harness.errors import UsageError
from harness.gate.revision import checked_out
from harness.gate.versions import Version, is_pair, own_version, pair_versions
from harness.own import OwnApp

LEAST_BUDGET_S, MOST_BUDGET_S = 20.0, 3600.0
LEAST_WINDOW_S, MOST_WINDOW_S = 0.2, 60.0


@dataclass(frozen=True, kw_only=True)
class Named:
    """What the command line calls the two versions, and what each of them has for itself."""

    a: str | None
    b: str | None
    base: str | None
    app_dirs: tuple[Path | None, Path | None] = (None, None)
    env: tuple[Sequence[str], Sequence[str]] = ((), ())


def budget_s(text: str) -> float:
    """``90``, ``120s``, ``5m`` -> seconds. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|min)?", text)
    length_s = float(found[1]) * (60 if found[2] in ("m", "min") else 1) if found else math.nan
    if not LEAST_BUDGET_S <= length_s <= MOST_BUDGET_S:
        raise UsageError(f"--budget {text!r} cannot be used; give 20s to 60m, such as 120s or 5m")
    return length_s


def window_s(seconds: float | None) -> float | None:
    """Raises UsageError for a length that no window can have."""
    if seconds is not None and not LEAST_WINDOW_S <= seconds <= MOST_WINDOW_S:
        raise UsageError(f"--window {seconds:g} cannot be used; give {LEAST_WINDOW_S:g} to {MOST_WINDOW_S:g} seconds")
    return seconds


def warmup_s(seconds: float | None) -> float | None:
    """Raises UsageError for a length that no warm-up can have."""
    if seconds is not None and not 0 <= seconds <= MOST_WINDOW_S:
        raise UsageError(f"--warmup {seconds:g} cannot be used; give 0 to {MOST_WINDOW_S:g} seconds")
    return seconds


def versions(stack: ExitStack, named: Named, own: OwnApp) -> tuple[Version, Version, Path | None]:
    """A, B, and the catalogue where they are a pair's variants. What they need for as long as they run is put on the
    stack.

    own: what both have in common; its locustfile is the empty path when none was given. Raises UsageError, SetupError.
    """
    if named.a is None:
        raise UsageError(
            "name two versions: harness gate A B; or one and a revision: harness gate shop.main:app --base origin/main"
        )
    if named.base is not None:
        return (*_against_revision(stack, named, named.a, named.base, own), None)
    if named.b is None:
        raise UsageError("a gate compares two versions; name the second one too, or a revision with --base")
    if is_pair(named.a) or is_pair(named.b):
        if not (is_pair(named.a) and is_pair(named.b)):
            raise UsageError(f"{named.a} and {named.b} are of two kinds; give two variants of a pair, or two apps")
        _refuse_own_flags(named, own)
        return (*pair_versions(named.a, named.b), catalogue_root())
    _require_file(own)
    made = [
        own_version(name, own, app_dir=folder, env=env)
        for name, folder, env in zip((named.a, named.b), named.app_dirs, named.env, strict=True)
    ]
    if named.a == named.b:
        made = [replace(v, label=f"{v.label} ({letter})") for v, letter in zip(made, "AB", strict=True)]
    return made[0], made[1], None


def _against_revision(stack: ExitStack, named: Named, name: str, base: str, own: OwnApp) -> tuple[Version, Version]:
    if named.b is not None:
        raise UsageError(f"with --base name one app, which is taken here and at {base}; {named.b} is one too many")
    if is_pair(name) or "#" in name or any(named.app_dirs):
        raise UsageError("--base takes one module:app of the folder that the command is called in")
    _require_file(own)
    here = own_version(name, own, env=named.env[1], label=f"{name} here")
    folder, python = stack.enter_context(checked_out(base))
    there = own_version(name, own, app_dir=folder, env=named.env[0], label=f"{name} at {base}")
    return replace(there, python=python), here


def _require_file(own: OwnApp) -> None:
    if own.locustfile == Path():
        raise UsageError("say what to ask of the apps: -f LOCUSTFILE")


def _refuse_own_flags(named: Named, own: OwnApp) -> None:
    given = {
        "-f": own.locustfile != Path(), "--users": own.users, "--rate": own.rate_rps, "--canary": own.canary, "--think": own.think_s,
        "--factory": own.factory, "--env": own.env or any(named.env), "--app-dir-a, --app-dir-b": any(named.app_dirs),
    }  # fmt: skip
    for flag, value in given.items():
        if value:
            raise UsageError(
                f"{flag} is for apps of your own; a pair brings its scenario, load and settings, so leave it out"
            )
