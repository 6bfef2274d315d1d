"""What one open page knows: how its knobs stand, what was guessed, what is run and what was seen. Nothing of it is shared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.demo.knobs import knobs_of, turned
from harness.demo.live import Lane, Order
from harness.demo.sandbox import EDITED, with_edited
from harness.demo.studio import Studio, Ticket
from harness.errors import UsageError
from harness.formula import ceiling_of
from harness.record import Pair
from harness.staging import Subject

SECONDS = (4, 30)


@dataclass(frozen=True)
class Guess:
    """What the student expects of a variant; None: nothing was said."""

    rate_rps: float | None = None
    failed: float | None = None


@dataclass(frozen=True)
class Seen:
    """A run that has ended, with what was guessed before."""

    order: Order
    lanes: tuple[Lane, ...]
    guesses: Mapping[str, Guess]


@dataclass
class Desk:
    """One page's state. Values come from the browser, and are checked here when they are used."""

    studio: Studio
    pair: Pair
    values: dict[str, object] = field(default_factory=dict)
    chosen: dict[str, object] = field(default_factory=dict)  # variant -> whether it is run
    guesses: dict[str, dict[str, object]] = field(default_factory=dict)
    seconds: object = 8
    together: object = True
    edited: str | None = None  # the student's own source
    ticket: Ticket | None = None
    seen: list[Seen] = field(default_factory=list)
    lesson_shown: bool = False

    def __post_init__(self) -> None:
        self.values = {knob.name: knob.value for knob in knobs_of(self.pair)}
        self.chosen = dict.fromkeys(self.pair.variants, True)
        self.guesses = {variant: {} for variant in self.variants}

    @property
    def variants(self) -> list[str]:
        """All that can be run, the student's own included."""
        own = [EDITED] if "fixed" in self.pair.variants else []
        return [*self.pair.variants, *own]

    @property
    def running(self) -> bool:
        return self.ticket is not None and not self.ticket.ended

    def turned(self) -> Pair:
        """The pair as its knobs stand. Raises UsageError."""
        pair = turned(self.pair, self.values)
        return with_edited(pair, self.edited) if self.edited is not None else pair

    def ceilings(self) -> dict[str, float | None]:
        """What the mechanism allows of each variant, as the knobs stand, in requests per second. Raises UsageError."""
        pair = turned(self.pair, self.values)
        return {variant: ceiling_of(pair, variant) for variant in pair.variants}

    def order(self) -> Order:
        """What Run would run. Raises UsageError that says what is wrong."""
        pair = self.turned()
        names = [name for name in self.variants if self.chosen.get(name) is True and name in pair.variants]
        if not names:
            raise UsageError("choose at least one variant to run")
        seconds = self.seconds
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not SECONDS[0] <= seconds <= SECONDS[1]:
            raise UsageError(f"a run takes {SECONDS[0]} to {SECONDS[1]} seconds")
        return Order(
            pair=pair,
            subjects={name: self._subject(pair, name) for name in names},
            seconds=float(seconds),
            together=self.together is True,
        )

    def guessed(self) -> dict[str, Guess]:
        """The guesses as they stand; what is no number is none."""
        return {
            variant: Guess(_number(given.get("rate_rps")), _number(given.get("failed")))
            for variant, given in self.guesses.items()
        }

    def keep(self) -> Seen | None:
        """Keeps the run that has ended, and takes it off the desk."""
        ticket, self.ticket = self.ticket, None
        if ticket is None or not ticket.began:
            return None
        seen = Seen(ticket.performance.order, tuple(ticket.performance.lanes), self.guessed())
        self.seen.append(seen)
        return seen

    def _subject(self, pair: Pair, variant: str) -> Subject:
        if variant == EDITED:
            return self.studio.sandbox.subject(pair, pair.variants[EDITED].source)
        root = self.studio.root
        return Subject(
            target=f"target_apps.{pair.name}.{variant}:app", app_dir=root, locustfile=root / pair.scenario
        )  # fmt: skip


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
