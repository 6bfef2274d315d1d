"""A Run -> what a page shows of it: words and numbers already made, so that the template only lays them out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.judgement import PairVerdict, RunVerdict
from harness.record import Pair, Run, Trial, VariantResult
from harness.report import glossary, states, summary, sweeps, units, words
from harness.report.charts.model import Chart
from harness.report.comparison import Comparison, comparisons
from harness.report.diff import Note
from harness.report.first_screen import Line, effect_lines, facts
from harness.report.states import State
from harness.report.table import FigureTable, figure_table


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A ceiling against what was measured."""

    variant: str
    formula: str
    values: str
    ceiling: str
    measured: str
    share: str
    bar: float  # measured over ceiling, at most 1


@dataclass(frozen=True, kw_only=True)
class TrialLine:
    """A trial in the list of trials."""

    name: str
    goodput: str
    p99: str
    failed: str
    others: str  # cores that other processes used meanwhile
    invalid: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What was seen of an app that nothing is expected of."""

    notes: tuple[Note, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PairSection:
    """Everything that a pair's section shows."""

    pair: Pair
    verdict: PairVerdict
    effect: str
    state: State
    missing: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    inside: Inside | None
    predictions: tuple[Prediction, ...]
    overview: tuple[Chart, ...]  # one picture for all variants
    by_variant: tuple[Chart, ...]  # one picture a variant
    sweep_charts: tuple[Chart, ...]
    sweeps: tuple[sweeps.SweepPart, ...]
    table: FigureTable
    trials: tuple[TrialLine, ...]
    workload: str
    settings: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the report shows."""

    run: Run
    headline: str
    state: State
    trust: tuple[str, ...]
    trusted: bool
    reasons: tuple[tuple[str, int], ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]  # the largest effect first; empty where nothing is compared
    terms: tuple[str, ...]  # a sentence on each term that the effects use
    glossary: tuple[tuple[str, str], ...]
    sections: tuple[PairSection, ...]


def page(run: Run, verdict: RunVerdict, charts: Mapping[str, tuple[Chart, ...]]) -> Page:
    """The page of a run; its sections stand in the order of the lines of its first screen."""
    pairs = {p.name: p for p in run.pairs}
    ordered = summary.by_effect(summary.whole(run, verdict))
    complete = run.status == "complete"
    return Page(
        run=run,
        headline=summary.headline(run, verdict),
        state=State.NOT_MET if not verdict.met else State.DOUBTFUL if not (verdict.valid and complete) else State.MET,
        trust=tuple(summary.trust(run)),
        trusted=complete and verdict.valid and bool(run.trials),
        reasons=tuple(summary.invalid_reasons(run)),
        facts=facts(run),
        lines=() if summary.all_own(run) else effect_lines(ordered, pairs, run),
        terms=glossary.effect_terms(summary.effect(v, run) for v in verdict.pairs),
        glossary=_glossary(run),
        sections=tuple(_section(pairs[v.pair], v, run, charts.get(v.pair, ())) for v in ordered),
    )


def _glossary(run: Run) -> tuple[tuple[str, str], ...]:
    """The terms of what is shown."""

    def shown(term: str) -> bool:
        name = glossary.TERM_FIGURES.get(term)
        return name is None or any(getattr(r.figures, name) is not None for r in run.results)

    return tuple((term, text) for term, text in glossary.GLOSSARY if shown(term))


def _section(pair: Pair, verdict: PairVerdict, run: Run, charts: tuple[Chart, ...]) -> PairSection:
    results = [r for name in pair.variants for r in run.results if (r.pair, r.variant) == (pair.name, name)]
    return PairSection(
        pair=pair,
        verdict=verdict,
        effect=summary.effect(verdict, run),
        state=states.state(verdict, run),
        missing=tuple(states.missing(pair.name, run)),
        comparisons=comparisons(pair, verdict),
        inside=None if pair.judged else _inside(verdict),
        predictions=tuple(p for r in results if (p := _prediction(pair, r)) is not None),
        overview=tuple(c for c in charts if not c.panels[0].label and not c.name.startswith("sweep")),
        by_variant=tuple(c for c in charts if c.panels[0].label),
        sweep_charts=tuple(c for c in charts if c.name.startswith("sweep")),
        sweeps=tuple(sweeps.part(s) for s in run.sweeps if s.pair == pair.name),
        table=figure_table(results),
        trials=tuple(_trial_line(t, run.trials) for t in run.trials if t.pair == pair.name),
        workload=words.workload(pair.workload),
        settings=tuple((name, _setting(name, value)) for name, value in pair.settings.items()),
        commands=(
            (f"harness bench {pair.name} --profile {run.profile.name} --seed {run.seed}",)
            if pair.judged
            else (run.command,)
        ),
    )


def _inside(verdict: PairVerdict) -> Inside:
    notes = tuple(
        Note(head=what[:1].upper() + what[1:], text=text, evidence=why) for what, text, why in summary.findings(verdict)
    )
    sentences = [f"{verdict.sequential_note[:1].upper()}{verdict.sequential_note[1:]}."]
    if any(not d.probed for d in verdict.diagnoses):
        sentences.insert(0, words.OUTSIDE)
    elif verdict.diagnoses and not notes:
        sentences.insert(0, words.NOTHING_INSIDE)
    return Inside(notes=notes, sentences=tuple(sentences))


def _setting(name: str, value: float) -> str:
    return units.seconds(value) if name.endswith("_s") else units.number(value)


def _prediction(pair: Pair, result: VariantResult) -> Prediction | None:
    formula, ceiling = pair.ceilings.get(result.variant), result.figures.ceiling_rps
    if formula is None or ceiling is None:
        return None
    names = re.findall(r"\w+", formula)
    good = result.figures.goodput_rps
    part = result.figures.ceiling_share
    if part is None and good is not None:
        part = good / ceiling
    return Prediction(
        variant=result.variant,
        formula=formula,
        values=", ".join(f"{name} = {_setting(name, value)}" for name, value in pair.settings.items() if name in names),
        ceiling=units.rate(ceiling),
        measured=units.rate(good),
        share=units.share(part),
        bar=min(1.0, part or 0.0),
    )


def _trial_line(t: Trial, trials: tuple[Trial, ...]) -> TrialLine:
    f = t.figures
    again = next((other.id for other in trials if other.repeats == t.id), None)
    name = f"{t.id}: {t.variant}, block {t.block}" + (f", run again for {t.repeats}" if t.repeats is not None else "")
    return TrialLine(
        name=name,
        goodput=units.rate(f.goodput_rps),
        p99=units.seconds(f.response_p99_s),
        failed=units.share(f.failed_share),
        others=units.number(t.contention.others_cores, 2) if t.contention else units.NONE,
        invalid=t.invalid + ((f"run once more, as trial {again}",) if again is not None else ()),
        warnings=tuple(f"{words.figure_label(name)}: {text}" for name, text in t.warnings.items()),
    )
