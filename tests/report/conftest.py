"""The made-up run, built once for all tests of the report."""

from __future__ import annotations

import pytest

from harness.judgement import RunVerdict
from harness.record import Run
from harness.report.charts import Chart, draw_charts
from harness.store import RunData
from tests.report import sample_run as made_up


@pytest.fixture(scope="session")
def sample() -> tuple[Run, RunVerdict, RunData]:
    """A complete run with one invalid trial."""
    return made_up.sample_run()


@pytest.fixture(scope="session")
def charts(sample: tuple[Run, RunVerdict, RunData]) -> dict[str, tuple[Chart, ...]]:
    """The charts of the made-up run."""
    return draw_charts(sample[0], sample[2])
