"""A Run -> what people and machines read of it: HTML, Markdown, JUnit, charts, terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.judgement import RunVerdict
from harness.record import Run
from harness.store import RunData, disk_errors, write_atomically


def write_report(folder: Path, run: Run, verdict: RunVerdict, data: RunData) -> Path:
    """Writes every view of a run into its folder: report.html, report.md, junit.xml, charts/ and hgrm/.

    The same run always gives the same bytes. Returns the path of report.html; raises SetupError when the disk is in the way.
    """
    files = render_views(run, verdict, data)
    with disk_errors(folder):
        write_files(folder, files)
        for old in (folder / "charts").glob("*.svg"):
            if f"charts/{old.name}" not in files:
                old.unlink()
    return folder / "report.html"


def render_views(run: Run, verdict: RunVerdict, data: RunData) -> dict[str, str]:
    """Every view of a run: its path in the run folder -> its text."""
    from harness.hdr import hgrm
    from harness.report.charts import chart_files, draw_charts
    from harness.report.charts.model import rows_by_pair
    from harness.report.charts.percentiles import durations
    from harness.report.html import render_html
    from harness.report.junit import render_junit
    from harness.report.markdown import render_markdown

    charts = draw_charts(run, data)
    files = {f"charts/{name}": svg for name, svg in chart_files(charts).items()}
    files["report.md"] = render_markdown(run, verdict)
    files["junit.xml"] = render_junit(run, verdict)
    files["report.html"] = render_html(run, verdict, charts)
    for pair in rows_by_pair(run, data):
        files |= {f"hgrm/{pair.pair.name}-{v.name}.hgrm": hgrm(*durations(v)) for v in pair.variants}
    return files


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Writes texts to their paths below a folder, each whole or not at all. Raises OSError."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, text.encode())
