"""A git revision of the project at hand, in a throw-away worktree; where the lock file differs, with its own packages."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import SetupError, UsageError
from harness.gate.versions import Interpreter

LOCK_FILES = ("requirements.lock", "requirements.txt", "uv.lock", "poetry.lock", "pdm.lock")
PROBE_NEEDS = ("msgspec>=0.19", "uvicorn>=0.30", "anyio>=4.0")  # what the harness needs in the app's environment
GIT_LIMIT_S, INSTALL_LIMIT_S = 60.0, 600.0


@contextmanager
def checked_out(revision: str) -> Iterator[tuple[Path, Interpreter | None]]:
    """The folder that stands for the current one at that revision, and its interpreter (None: the running one will do).

    Raises UsageError when there is no repository or no such revision, SetupError when its packages cannot be installed.
    """
    top = Path(
        _git("rev-parse", "--show-toplevel", refuse="--base needs a git repository, and the current folder is in none")
    )
    refused = f"--base {revision}: there is no such revision here; fetch it first (in CI: a checkout with its history, fetch-depth: 0)"
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", refuse=refused)
    here = Path.cwd().resolve().relative_to(top.resolve())
    with _throw_away_folder(top) as made:
        folder = made / "tree"
        _git("worktree", "add", "--detach", str(folder), commit, refuse=f"--base {revision} cannot be checked out")
        if not (folder / here).is_dir():
            raise UsageError(
                f"--base {revision}: it has no folder {here}; run this in a folder that both versions have"
            )
        yield folder / here, _interpreter(top, folder, made)


@contextmanager
def _throw_away_folder(repository: Path) -> Iterator[Path]:
    """A folder that goes, with the worktree in it, when this process ends, however it ends: a child waits for that."""
    made = Path(tempfile.mkdtemp(prefix="harness-base-"))
    clean_up = 'cat >/dev/null; rm -rf "$1"; git -C "$2" worktree prune'
    with subprocess.Popen(
        ["sh", "-c", clean_up, "sh", str(made), str(repository)], stdin=subprocess.PIPE, start_new_session=True
    ) as keeper:
        try:
            yield made
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()


def _git(*arguments: str, refuse: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=GIT_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"git does not answer: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UsageError(refuse + (f" ({said[-1]})" if said else ""))
    return done.stdout.strip()


def _interpreter(ours: Path, theirs: Path, made: Path) -> Interpreter | None:
    """An environment with what the other revision's lock file names, when that is not what ours names."""
    changed = [name for name in LOCK_FILES if _text(ours / name) != _text(theirs / name)]
    if not changed:
        return None
    lock = theirs / changed[0]
    environment, home = made / "environment", made / "home"
    home.mkdir()
    (home / "harness").symlink_to(
        Path(__file__).resolve().parent.parent
    )  # the harness alone, without what lies beside it
    python = str(environment / "bin" / "python")
    _run([sys.executable, "-m", "venv", str(environment)], f"no environment can be made for {lock.name}")
    if lock.is_file() and lock.suffix != ".txt" and lock.name != "requirements.lock":
        raise UsageError(
            f"{lock.name} differs between the versions; export it as requirements.txt, or give two folders with dir#module:app"
        )
    if lock.is_file():
        _run(
            [python, "-m", "pip", "install", "--quiet", "-r", str(lock)],
            f"{lock.name} of the other version cannot be installed",
        )
    _run([python, "-m", "pip", "install", "--quiet", *PROBE_NEEDS], "what the probe needs cannot be installed")
    return Interpreter(python, home)


def _run(command: list[str], sentence: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{sentence}: it took more than {INSTALL_LIMIT_S:.0f} s") from error
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SetupError(f"{sentence}: {said[-1] if said else 'no reason was given'}")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
