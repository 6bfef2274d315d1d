"""Requests that do far more than they were asked for."""

from __future__ import annotations

from harness.diagnosis.reading import FEW, by_place, named, seen, total
from harness.inside import Sight
from harness.judgement import Diagnosis
from harness.record import Cause, VariantResult

MANY_QUERIES = 20  # per request
LARGE_BYTES = 100_000  # of an answer that is made from rows
SAME_SHARE = 0.5  # of a route's statements that were looked at


def too_many_queries(result: VariantResult) -> Diagnosis | None:
    use = max(result.routes, key=lambda u: u.queries_mean, default=None)
    if use is None or use.queries_mean < MANY_QUERIES or use.answers < FEW:
        return None
    looked_at = [s for s in seen(result, Sight.REPEATED) if s.route == use.route]
    groups = by_place(looked_at, lambda s: s.place)
    place, same = max(groups, key=lambda item: total(item[1]), default=(None, []))
    if total(same) < SAME_SHARE * total(looked_at):
        return None
    statement = max(same, key=lambda s: s.times).what if same else "unknown"
    return Diagnosis(
        cause=Cause.TOO_MANY_QUERIES,
        frame=place or use.endpoint,
        message=f"A request sends a query for each row: {named(place or use.endpoint)}, while serving {use.route}.",
        evidence=f"{use.queries_mean:.0f} queries per request; again and again: {statement}",
    )


def oversized_response(result: VariantResult) -> Diagnosis | None:
    use = max((u for u in result.routes if u.queries_mean >= 1), key=lambda u: u.bytes_mean, default=None)
    if use is None or use.bytes_mean < LARGE_BYTES or use.answers < FEW:
        return None
    return Diagnosis(
        cause=Cause.OVERSIZED_RESPONSE,
        frame=use.endpoint,
        message=f"Answers are too large: {named(use.endpoint)} answers {use.route} with as many rows as there are.",
        evidence=f"{use.bytes_mean / 1000:.0f} kB per answer to {use.name}",
    )
