"""What a chart is once it is drawn, and what it is drawn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.record import Pair, Run, Scalability, Trial, VariantResult
from harness.store import RunData

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture of a chart."""

    svg: str  # compact, see harness.report.charts.svg
    label: str | None = None  # what sets it apart from the chart's other panels: the variant
    note: str | None = None  # what to see in it, in words


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart of a pair: a picture, or one for each variant with axes that agree."""

    name: str  # "throughput"
    title: str  # what is drawn
    reading: str  # what to see in it, from the data
    how: str = ""  # how to read it, for whoever sees such a chart for the first time
    legend: tuple[tuple[str, str], ...] = ()  # role of the palette, and what it stands for
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class TrialRows:
    """One valid trial with its raw rows."""

    trial: Trial
    requests: pa.Table
    samples: pa.Table

    def request_column(self, name: str) -> Floats:
        """A numeric column of the requests; NaN where there is no value."""
        return _floats(self.requests, name)

    def sample_column(self, name: str) -> Floats:
        """A numeric column of the samples; NaN where there is no value."""
        return _floats(self.samples, name)

    def requests_with(self, column: str, value: str) -> Mask:
        """Which requests have the value in a column of text."""
        same = pc.equal(self.requests[column].cast(pa.string()), pa.scalar(value))
        return np.asarray(pc.fill_null(same, False).to_numpy(zero_copy_only=False), dtype=bool)

    @property
    def window(self) -> tuple[float, float]:
        """Start and end of the measured window, in seconds since the trial's start."""
        return self.trial.window_start_s, self.trial.window_start_s + self.trial.window_s

    def durations(self) -> tuple[Floats, Floats]:
        """Response times of the load's requests that were meant to start in the window, in seconds.

        Of those that ended, and, for those that did not, how long they had lasted when the trial ended.
        """
        start, end = self.window
        intended, done = self.request_column("intended_s"), self.request_column("done_s")
        meant = self.requests_with("kind", "load") & (intended >= start) & (intended < end)
        meant &= ~self.requests_with("outcome", "skipped") & ~self.requests_with("phase", "sequential")
        last_seen = max(end, float(np.nanmax(done, initial=0.0)))
        times = (done - intended)[meant]
        return times[~np.isnan(times)], last_seen - intended[meant & np.isnan(done)]


@dataclass(frozen=True, kw_only=True)
class VariantRows:
    """One variant: its pooled figures, and its valid trials in the order in which they ran."""

    name: str
    result: VariantResult
    trials: tuple[TrialRows, ...]


@dataclass(frozen=True, kw_only=True)
class PairRows:
    """One pair with everything its charts need."""

    pair: Pair
    variants: tuple[VariantRows, ...]  # those with a valid trial
    invalid: tuple[str, ...] = ()  # variants that ran, and of which no trial is valid: a hatched place each
    sweeps: tuple[Scalability, ...] = ()

    def panels(self, drawn: list[Panel], invalid: Callable[[str], Panel]) -> tuple[Panel, ...]:
        """The pictures of the variants in the pair's order, with a hatched one for each variant without a valid trial."""
        order = list(self.pair.variants)
        return tuple(sorted([*drawn, *map(invalid, self.invalid)], key=lambda p: order.index(p.label or "")))


def rows_by_pair(run: Run, data: RunData) -> list[PairRows]:
    """The run's rows, sorted to their trials in one pass, in the order of the run's pairs."""
    requests, samples = _by_trial(data.requests), _by_trial(data.samples)
    valid: dict[tuple[str, str], list[TrialRows]] = {}
    for trial in run.trials:
        if not trial.invalid:
            rows = TrialRows(
                trial=trial,
                requests=requests.get(trial.id, data.requests.slice(0, 0)),
                samples=samples.get(trial.id, data.samples.slice(0, 0)),
            )
            valid.setdefault((trial.pair, trial.variant), []).append(rows)
    results = {(r.pair, r.variant): r for r in run.results}
    return [
        PairRows(
            pair=pair,
            variants=tuple(
                VariantRows(name=name, result=results[pair.name, name], trials=tuple(valid[pair.name, name]))
                for name in pair.variants
                if (pair.name, name) in valid and (pair.name, name) in results
            ),
            invalid=tuple(
                name
                for name in pair.variants
                if (pair.name, name) not in valid
                and any(t.invalid for t in run.trials if (t.pair, t.variant) == (pair.name, name))
            ),
            sweeps=tuple(s for s in run.sweeps if s.pair == pair.name),
        )
        for pair in run.pairs
    ]


def _by_trial(table: pa.Table) -> dict[int, pa.Table]:
    """Rows by trial, without copying when each trial's rows lie together."""
    ids = table["trial"].to_numpy()
    if not len(ids):
        return {}
    if np.any(np.diff(ids) < 0):
        order = np.argsort(ids, kind="stable")
        table, ids = table.take(order), ids[order]
    known, starts = np.unique(ids, return_index=True)
    ends = [*starts[1:], len(ids)]
    return {int(t): table.slice(int(a), int(b - a)) for t, a, b in zip(known, starts, ends, strict=True)}


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
