"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness.judgement import RunVerdict
from harness.record import Run
from harness.report import states, summary, view, words
from harness.report.charts.model import Chart
from harness.report.charts.palette import ROLES, chart_css, hatch_defs, variant_role

_CODE = re.compile(r"`([^`]+)`")
_TEMPLATES = Path(__file__).parent / "templates"


def render_html(run: Run, verdict: RunVerdict, charts: Mapping[str, tuple[Chart, ...]]) -> str:
    """The whole page. In: the charts of each pair, by the pair's name, in the order in which they are read."""
    return _template().render(
        page=view.page(run, verdict, charts),
        style=Markup(chart_css() + "\n" + (_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        hatches=Markup(hatch_defs()),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "expectation": summary.expectation_words,
        "diagnosis": summary.diagnosis_words,
        "diagnosis_state": states.diagnosis_state,
        "expectation_state": states.expectation_state,
        "state": states.met_state,
        "sources": words.sources,
        "variant_role": variant_role,
        "prose": _prose,
        "svg": Markup,
        "swatch": _swatch,
    }
    environment.globals |= {"marks": states.MARKS}
    return environment.get_template("report.html.j2")


def _prose(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def _swatch(role: str) -> Markup:
    """A little box in the fill of a role."""
    if role not in ROLES:
        raise KeyError(role)
    box = f'<rect class="f-{role}" width="14" height="14"/>'
    return Markup(f'<svg class="chart swatch" viewBox="0 0 14 14" aria-hidden="true">{box}</svg>')
