"""Telling one's own CPU time from that of strangers, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from harness.contention import CpuReading, contention, own_cpu_s, read_cpu
from harness.measured import Contention
from tests.waiting import wait_until

pytestmark = pytest.mark.alone  # every Postgres of the machine is counted as ours, that of another worker as well
BURN = "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n"


def observed(spend: Callable[[], None]) -> Contention:
    before = read_cpu()
    spend()
    return contention(before, read_cpu())


def test_what_a_child_spends_is_ours_even_after_its_end() -> None:
    before = read_cpu()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    after = read_cpu()
    assert 0.55 < after.ours_s - before.ours_s < 2.0
    assert after.busy_s - before.busy_s > 0.5


def test_what_a_stranger_spends_is_not_ours() -> None:
    """A process whose parent has ended belongs to nobody here."""
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"

    def spend() -> None:
        subprocess.run([sys.executable, "-c", orphan], check=True)
        start = read_cpu().busy_s
        wait_until(lambda: read_cpu().busy_s - start > 0.5, "the stranger spends CPU time")

    assert observed(spend).others_cores > 0.1


@pytest.mark.parametrize(
    ("busy_s", "ours_s", "others"), [(3.0, 2.0, 0.5), (3.0, 3.5, 0.0)], ids=["some", "rounding is not negative"]
)
def test_others_are_what_is_left(busy_s: float, ours_s: float, others: float) -> None:
    found = contention(CpuReading(10.0, 2, 100.0, 50.0), CpuReading(12.0, 2, 100.0 + busy_s, 50.0 + ours_s))
    assert found == Contention(cores=2, busy_cores=busy_s / 2, others_cores=others)


def test_a_process_that_took_less_than_a_hundredth_of_a_second_has_taken_that() -> None:
    before_s, own_before_s = own_cpu_s(os.getpid()), time.process_time()
    while time.process_time() < own_before_s + 0.003:
        pass
    assert 0.003 <= own_cpu_s(os.getpid()) - before_s < 0.5


def test_of_a_process_that_is_gone_what_was_read_before_counts() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert own_cpu_s(child.pid, 1.5) == 1.5
