"""What a ``pair.toml`` may say: its tables and keys, with their limits."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import UsageError
from harness.formula import ceiling_rps, failures_rps
from harness.measured import FIGURE_NAMES
from harness.record import Cause, Invariant

Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[float, Field(gt=0)]
Theme = Literal["loop", "threads", "pool", "transactions", "beliefs", "background", "contracts", "services"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class VariantToml(_Table):
    summary: Text
    cause: Cause = Cause.NONE
    worker: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None


class _WorkloadToml(_Table):
    model: Literal["closed", "open"] = "closed"
    users: Annotated[int, Field(ge=1, le=10_000)] = 10
    think_s: Annotated[float, Field(ge=0)] | None = None
    rate_rps: Positive | None = None
    arrivals: Literal["poisson", "even"] = "poisson"
    canary: Annotated[str, Field(pattern="^/")] | None = None
    canary_rate_rps: Positive = 20.0

    @model_validator(mode="after")
    def _open_needs_rate(self) -> _WorkloadToml:
        if self.model == "open" and self.rate_rps is None:
            raise ValueError("an open workload needs rate_rps")
        return self


class _ExpectToml(_Table):
    that: Text
    metric: Text
    variant: Text
    over: Text | None = None
    at_least: float | None = None
    at_most: float | None = None
    equivalent_within: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _judges_something(self) -> _ExpectToml:
        if self.metric not in FIGURE_NAMES:
            raise ValueError(f"unknown metric {self.metric!r}{nearest(self.metric, FIGURE_NAMES)}")
        bounded = self.at_least is not None or self.at_most is not None
        if bounded == (self.equivalent_within is not None):
            raise ValueError("give at_least, at_most or both, or else equivalent_within")
        if self.equivalent_within is not None and self.over is None:
            raise ValueError("equivalent_within needs over: the variant to compare with")
        return self


class _InvariantToml(_Table):
    name: Text
    sql: Text
    promised_by: Text | list[Text] = []
    by_status: bool = False
    zero: bool = False
    variants: list[Text] = []

    @model_validator(mode="after")
    def _asks_something(self) -> _InvariantToml:
        if self.zero == bool(self.promised_by):
            raise ValueError(
                "give promised_by, the request that promises rows, or zero = true where there must be none"
            )
        return self

    def invariant(self) -> Invariant:
        promised_by = [self.promised_by] if isinstance(self.promised_by, str) else self.promised_by
        return Invariant(
            name=self.name,
            sql=self.sql,
            promised_by=tuple(promised_by),
            by_status=self.by_status,
            zero=self.zero,
            variants=tuple(self.variants),
        )


class _SweepToml(_Table):
    users: Annotated[list[Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1)]


class _FaultToml(_Table):
    restart_every_s: Annotated[float, Field(ge=0.5, le=60)]
    restart_after_s: Positive

    @model_validator(mode="after")
    def _within_a_round(self) -> _FaultToml:
        if self.restart_after_s >= self.restart_every_s:
            raise ValueError("restart_after_s must be less than restart_every_s")
        return self


class PairToml(_Table):
    title: Text
    question: Text
    theme: Theme
    lesson: Text
    look_for: Text
    sources: list[Annotated[str, Field(pattern=r"^(S[0-4]|beyond)$")]]
    claims: list[Annotated[str, Field(pattern=r"^c\d+$")]] = []
    variants: Annotated[dict[str, VariantToml], Field(min_length=1)]
    settings: dict[str, float] = {}
    workload: _WorkloadToml
    ceiling: dict[str, str] = {}
    failures: dict[str, str] = {}
    upstream: bool = False
    expect: Annotated[list[_ExpectToml], Field(min_length=1)]
    invariant: list[_InvariantToml] = []
    sweep: _SweepToml | None = None
    fault: _FaultToml | None = None
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    settle_s: Annotated[float, Field(ge=0, le=30)] = 0.0
    blocks: Annotated[int, Field(ge=1, le=100)] | None = None
    window_factor: Annotated[float, Field(ge=0.5, le=20)] = 1.0
    shows_alone: Text | None = None

    @model_validator(mode="after")
    def _upstream_needs_delay(self) -> PairToml:
        if self.upstream and "upstream_delay_s" not in self.settings:
            raise ValueError("upstream = true needs settings.upstream_delay_s")
        return self


def parse(path: Path, shown: Path) -> PairToml:
    """What a pair.toml says. Raises UsageError that names the file, as ``shown``, and the key that is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown}: not valid TOML: {error}") from error
    try:
        spec = PairToml.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top level)"
        raise UsageError(f"{shown}: {key}: {first['msg'].removeprefix('Value error, ')}") from error
    _check_references(spec, shown)
    return spec


def _check_references(spec: PairToml, shown: Path) -> None:
    for n, expectation in enumerate(spec.expect):
        for key, value in (("variant", expectation.variant), ("over", expectation.over)):
            if value is not None and value not in spec.variants:
                raise UsageError(f"{shown}: expect.{n}.{key}: the pair has no variant {value!r}")
    for n, invariant in enumerate(spec.invariant):
        for variant in invariant.variants:
            if variant not in spec.variants:
                raise UsageError(f"{shown}: invariant.{n}.variants: the pair has no variant {variant!r}")
    for key, formulas, evaluate in (("ceiling", spec.ceiling, ceiling_rps), ("failures", spec.failures, failures_rps)):
        for variant, formula in formulas.items():
            if variant not in spec.variants:
                raise UsageError(f"{shown}: {key}.{variant}: the pair has no variant {variant!r}")
            try:
                evaluate(formula, {**spec.settings, "users": spec.workload.users})
            except UsageError as error:
                raise UsageError(f"{shown}: {key}.{variant}: {error}") from error


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """The remark "; did you mean …?"; nothing where no known name is like it."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
