"""The run in few lines of Markdown, for a comment on a pull request."""

from __future__ import annotations

import re

from harness.judgement import PairVerdict, RunVerdict
from harness.record import Run
from harness.report import glossary, states, summary

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render_markdown(run: Run, verdict: RunVerdict) -> str:
    """Headline, whether to trust it, one row a pair, and what is not as it should be."""
    blocks = [
        f"## {plain(summary.headline(run, verdict))}",
        plain(" ".join(summary.trust(run))),
        _about(run),
        *([] if summary.all_own(run) else _failures(run, verdict)),
        *(_own(run, verdict) if summary.all_own(run) else [_table(run, verdict)]),
        *_invalid(run),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def plain(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split(" ")).replace("\n", " "))


def _about(run: Run) -> str:
    m = run.machine
    postgres = f", Postgres {plain(m.postgres)}" if m.postgres else ""
    git = f", git {plain(m.git)}" if m.git else ""
    return f"`{run.command.replace('`', '')}` on {m.cores} cores, Python {m.python}{postgres}{git}."


def _table(run: Run, verdict: RunVerdict) -> str:
    """A row a pair; many pairs stand by theme, and folded."""
    if not run.pairs:
        return ""
    groups = summary.by_theme(summary.whole(run, verdict), run)
    parts = []
    for theme, pairs in groups:
        rows = ["| pair | effect of the fix | verdict | named from inside |", "|---|---|---|---|"]
        rows += [_row(pair, run) for pair in pairs]
        parts.append("\n".join(([f"**{plain(theme)}**", ""] if theme else []) + rows))
    table = "\n\n".join(parts)
    terms = " ".join(glossary.effect_terms(summary.effect(pair, run) for _, pairs in groups for pair in pairs))
    table += f"\n\n{terms}" if terms else ""
    if len(groups) == 1:
        return table
    return f"<details><summary>All {len(run.pairs)} pairs</summary>\n\n{table}\n\n</details>"


def _row(pair: PairVerdict, run: Run) -> str:
    state = states.state(pair, run)
    mark = f"{states.MARKS[state]} {state}"
    return f"| `{pair.pair}` | {plain(summary.effect(pair, run))} | {mark} | {plain(summary.guilty(pair))} |"


def _own(run: Run, verdict: RunVerdict) -> list[str]:
    """The figures of an app of the user's own, and what was found in it."""
    blocks = []
    for pair in verdict.pairs:
        rows = [f"| {plain(label)} | {plain(value)} |" for label, value in summary.key_figures(pair.pair, run)]
        found = [f"- **{plain(what)}**: {plain(text)} {plain(why)}" for what, text, why in summary.findings(pair)]
        blocks += ["\n".join(["| figure | measured |", "|---|---|", *rows]), "\n".join(found)]
        blocks.append(plain(f"{pair.sequential_note[:1].upper()}{pair.sequential_note[1:]}."))
    return blocks


def _failures(run: Run, verdict: RunVerdict) -> list[str]:
    lines = [
        f"- `{p.pair}`: {plain(text)}"
        for p in summary.by_effect(summary.whole(run, verdict))
        for text in summary.failures(p)
    ]
    return ["### Not as expected", "\n".join(lines)] if lines else []


def _invalid(run: Run) -> list[str]:
    lines = [f"- {times}×: {plain(reason)}" for reason, times in summary.invalid_reasons(run)]
    lines += [f"- {plain(warning)}" for warning in run.warnings]
    return ["### Limits", "\n".join(lines)] if lines else []
