"""Runs one check in a folder of its own, and removes the folder and all processes however its parent ends.

Started by ``checks.py`` in a session of its own, so that Ctrl-C in the terminal does not reach it. The first line on stdin is the
job, the only line on stdout the answer; the end of stdin, which comes also when the parent is killed, is the order to stop.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

INSTALL_S = 300.0
CONFLICT = "ResolutionImpossible"  # pip knows the packages, and that they cannot be had together
HEARD = 300  # characters of a program's last words


class _Stopped(Exception):
    """The parent is gone, or wants no answer any more."""


class _Failed(Exception):
    """Why there are no facts, in a clause."""


class Workshop:
    """One job's folder and the processes that work in it."""

    def __init__(self, folder: Path, stop: threading.Event) -> None:
        self._folder = folder
        self._stop = stop

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """The facts that the job's program prints: {"facts": …, "packages": …}, or {"error": …}."""
        try:
            if job["install"] is None:
                return {"facts": self._facts(sys.executable, job), "packages": None}
            python = self._environment(job["install"])
            if python is None:
                return {"facts": {"installed": False}, "packages": {}}
            return {"facts": {"installed": True, **self._facts(python, job)}, "packages": self._packages(python)}
        except _Failed as failure:
            return {"error": str(failure)}

    def _environment(self, install: list[str]) -> str | None:
        """The Python of a new virtual environment; None when the packages cannot be had together."""
        folder = self._folder / "environment"
        self._run([sys.executable, "-m", "venv", "--without-pip", str(folder)], INSTALL_S)
        python = str(folder / "bin" / "python")
        try:
            self._run([*_pip(python), "install", "--quiet", "--no-input", "--no-compile", *install], INSTALL_S)
        except _Failed as failure:
            if CONFLICT in str(failure):
                return None
            raise _Failed(f"pip could not install {' '.join(install)}: {failure}") from failure
        return python

    def _packages(self, python: str) -> dict[str, str]:
        listed = json.loads(self._run([*_pip(python), "list", "--format", "json"], INSTALL_S))
        return {package["name"].lower(): package["version"] for package in listed}

    def _facts(self, python: str, job: dict[str, Any]) -> dict[str, Any]:
        output = self._run([python, job["program"]], job["time_limit_s"], job["env"])
        try:
            facts = json.loads(output.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise _Failed(f"it printed no facts but {output[-HEARD:]!r}") from None
        if not isinstance(facts, dict):
            raise _Failed(f"it printed {facts!r} and no JSON object")
        return facts

    def _run(self, command: list[str], time_limit_s: float, env: dict[str, str] | None = None) -> str:
        """What a command prints. Raises _Failed when it fails or takes too long."""
        ours = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        places = {"TMPDIR": str(self._folder)}  # what is left there goes with the folder
        if env is not None:  # a program; pip keeps to the user's own caches
            places |= {"XDG_CACHE_HOME": str(self._folder), "npm_config_cache": str(self._folder), **env}
        process = subprocess.Popen(
            command, cwd=self._folder, env={**ours, **places}, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        deadline = time.monotonic() + time_limit_s
        while True:
            try:
                output, errors = process.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                if self._stop.is_set() or time.monotonic() > deadline:
                    os.killpg(process.pid, signal.SIGKILL)  # not waited for yet, so the id is still its own
                    process.communicate()
                    if self._stop.is_set():
                        raise _Stopped from None
                    raise _Failed(f"it had not ended after {time_limit_s:g} s") from None
        if process.returncode != 0:
            raise _Failed(_last_words(errors or output))
        return output


def _pip(python: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines)[-1][:HEARD]


def _await_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _answer_one(stop: threading.Event) -> None:
    line = sys.stdin.readline()
    if not line:
        return
    threading.Thread(target=_await_end, args=(stop,), daemon=True).start()
    with suppress(_Stopped), tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True) as folder:
        answer = Workshop(Path(folder), stop).do(json.loads(line))
        with suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Does one job from stdin, until it is done, stdin ends, or SIGTERM."""
    stop = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    _answer_one(stop)


if __name__ == "__main__":
    main()
    os._exit(0)  # a thread still reads stdin
