"""Edited apps: what goes wrong in one is said, is bounded, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.catalog import catalogue_root, load_pair
from harness.demo.ending import below
from harness.demo.sandbox import LIMITS, MOST_BYTES, MOST_PROCESSES, Sandbox, check
from harness.errors import TargetError, UsageError
from harness.target.target import Server, start_target
from tests.waiting import wait_until

ROOT = catalogue_root()
PAIR = load_pair(ROOT, "blocking_sleep")
SOURCE = PAIR.variants["fixed"].source


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder, Sandbox(ROOT, Path(folder)) as made:
        yield made


def start(sandbox: Sandbox, source: str, tmp_path: Path, **limits: float) -> Server:
    subject = sandbox.subject(PAIR, source)
    return start_target(
        sandbox.forks(),
        subject.target,
        app_dir=subject.app_dir,
        env={},
        log=tmp_path / "log",
        limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
    )


def test_a_copy_is_served_and_the_original_is_not_touched(sandbox: Sandbox, tmp_path: Path) -> None:
    server = start(sandbox, SOURCE + "\nprint('from the copy', __file__, flush=True)\n", tmp_path)
    server.child.stop()
    told = (tmp_path / "log").read_text()
    assert "from the copy" in told
    assert str(ROOT / "target_apps") not in told
    assert load_pair(ROOT, "blocking_sleep") == PAIR


@pytest.mark.parametrize(
    ("code", "limits", "why"),
    [
        pytest.param("import no_such_module", {}, "No module named 'no_such_module'", id="does not import"),
        pytest.param("app = None", {}, "not an app", id="no app"),
        pytest.param("while True: pass", {"ready_s": 1.0}, "was not ready after 1 s", id="loops for ever"),
        pytest.param(
            "while True: pass",
            {"cpu_s": 1, "ready_s": 60.0},
            "more than 1 s of processor time",
            id="takes the processor",
        ),
        pytest.param(
            "hog = []\nwhile True: hog.append(bytearray(1 << 28))", {"ready_s": 60.0}, "MemoryError", id="eats memory"
        ),
        pytest.param("open('big', 'wb').write(bytes(1 << 26))", {}, "File too large", id="fills the disk"),
    ],
)
def test_what_goes_wrong_is_bounded_and_said(
    sandbox: Sandbox, tmp_path: Path, code: str, limits: dict[str, float], why: str
) -> None:
    with pytest.raises(TargetError) as error:
        start(sandbox, f"{SOURCE}\n{code}\n", tmp_path, **limits)
    assert why in str(error.value)


FORKS = """
import os, time
for _ in range({count}):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
"""


def test_a_copy_that_was_run_is_removed_and_one_that_waits_is_not(sandbox: Sandbox) -> None:
    run, waiting = sandbox.subject(PAIR, SOURCE), sandbox.subject(PAIR, SOURCE)
    sandbox.discard(run)
    assert (run.app_dir.exists(), waiting.app_dir.exists()) == (False, True)


def test_what_an_app_started_and_let_go_of_is_found_and_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    server = start(sandbox, SOURCE + FORKS.format(count=3), tmp_path)
    server.child.stop()
    left = below(sandbox.forks().pid)
    assert left, "the app's own processes have outlived it"
    sandbox.end_all()
    assert not [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_an_app_that_multiplies_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(TargetError):
        start(sandbox, SOURCE + FORKS.format(count=3 * MOST_PROCESSES) + "time.sleep(60)\n", tmp_path)
    assert sandbox.ended is not None and f"more than {MOST_PROCESSES} processes" in sandbox.ended
    wait_until(lambda: not below(sandbox.forks().pid), "all of them have ended")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def app(:\n", "line 1: "),
        ("x = 'a\0b'", "null bytes"),
        ("x = 1\n" * MOST_BYTES, "longer than 64 KiB"),
        ("(" * 5000 + ")" * 5000, ""),
    ],
)
def test_what_is_no_python_is_told_before_anything_is_started(source: str, why: str) -> None:
    with pytest.raises(UsageError) as error:
        check(source)
    assert why in str(error.value)
