"""A Run -> what people and machines read of it: HTML, Markdown, JUnit, charts, terminal."""

from __future__ import annotations

from pathlib import Path

from harness.judgement import RunVerdict
from harness.record import Run
from harness.store import RunData, disk_errors, write_atomically


def write_report(folder: Path, run: Run, verdict: RunVerdict, data: RunData) -> Path:
    """Writes every view of a run into its folder: report.html, report.md, junit.xml and charts/.

    The same run always gives the same bytes. Returns the path of report.html; raises SetupError when the disk is in the way.
    """
    from harness.report.charts import chart_files, draw_charts
    from harness.report.html import render_html
    from harness.report.junit import render_junit
    from harness.report.markdown import render_markdown

    charts = draw_charts(run, data)
    files = {f"charts/{name}": svg for name, svg in chart_files(charts).items()}
    files["report.md"] = render_markdown(run, verdict)
    files["junit.xml"] = render_junit(run, verdict)
    files["report.html"] = render_html(run, verdict, charts)
    with disk_errors(folder):
        (folder / "charts").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_atomically(folder / name, text.encode())
        for old in (folder / "charts").glob("*.svg"):
            if f"charts/{old.name}" not in files:
                old.unlink()
    return folder / "report.html"
