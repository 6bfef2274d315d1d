"""The percentile distributions that a report leaves in its folder."""

from __future__ import annotations

from pathlib import Path

from harness.judgement import RunVerdict
from harness.record import Run
from harness.report import write_report
from harness.report.charts.model import rows_by_pair
from harness.report.charts.percentiles import durations
from harness.store import RunData


def test_each_pair_and_variant_with_a_result_has_one(tmp_path: Path, sample: tuple[Run, RunVerdict, RunData]) -> None:
    write_report(tmp_path, *sample)
    run, _, data = sample
    assert {p.name for p in (tmp_path / "hgrm").iterdir()} == {f"{r.pair}-{r.variant}.hgrm" for r in run.results}
    for pair in rows_by_pair(run, data):
        for variant in pair.variants:
            text = (tmp_path / "hgrm" / f"{pair.pair.name}-{variant.name}.hgrm").read_text()
            finished, cut = durations(variant)
            assert f"Total count    = {len(finished) + len(cut):12d}]" in text
            assert f"{len(cut)} of {len(finished) + len(cut)} requests had not ended" in text
