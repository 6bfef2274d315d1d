"""Answers that say what is not so."""

from __future__ import annotations

from harness.diagnosis.reading import endpoint, enough, most, named, percent, seen, told, total
from harness.inside import Frame, Sight, Sighting
from harness.judgement import Diagnosis
from harness.record import Cause, VariantResult

WRITING = (".commit", ".flush", ".execute", ".delete", ".merge", ".run_sync")  # methods that need an await
# What an input or a row causes that nobody reckoned with. Others may come from load: a time limit, an upstream, a pool.
UNEXPECTED = frozenset({
    "TypeError", "ValueError", "KeyError", "IndexError", "AttributeError", "AssertionError", "ZeroDivisionError", "NameError",
    "UnboundLocalError", "LookupError", "UnicodeDecodeError", "OverflowError", "ValidationError", "ResponseValidationError",
    "IntegrityError", "DataError", "ProgrammingError", "StatementError", "DetachedInstanceError", "MissingGreenlet",
    "NoResultFound", "MultipleResultsFound", "ObjectDeletedError", "UnmappedInstanceError",
})  # fmt: skip


def error_masked(result: VariantResult) -> Diagnosis | None:
    masked = seen(result, Sight.MASKED)
    if enough(total(masked), result):
        place = most(masked, lambda s: s.via)
        return Diagnosis(
            cause=Cause.ERROR_MASKED,
            frame=place,
            message=f"Errors are answered as successes: {named(place)} catches whatever happens below it.",
            evidence=f"{total(masked)} requests failed inside with {told(masked)}, and were answered with a status below 400",
        )
    use = max(result.routes, key=lambda u: u.hidden_timeouts, default=None)
    if use is None or not enough(use.hidden_timeouts, result):
        return None
    return Diagnosis(
        cause=Cause.ERROR_MASKED,
        frame=use.endpoint,
        message=f"Errors are answered as successes: {named(use.endpoint)} has an answer also for those who got no connection.",
        evidence=f"{use.hidden_timeouts} of {use.answers} requests gave up waiting for a connection, and were answered with a "
        "status below 400",
    )


def write_lost(result: VariantResult) -> Diagnosis | None:
    promises = [i for i in result.invariants if not i.zero]
    lost, promised = sum(i.lost for i in promises), sum(i.promised for i in promises)
    late = seen(result, Sight.AFTER_ANSWER)
    unkept = seen(result, Sight.UNKEPT)
    if not lost and not enough(total(late), result) and not enough(total(unkept), result):
        return None
    place, why = _how_lost(result, late, unkept)
    evidence = [f"{lost} of {promised} promised rows are not there"] if lost else []
    if late:
        evidence.append(f"{total(late)} requests failed after their answer with {told(late)}")
    if unkept:
        evidence.append(f"{total(unkept)} requests wrote rows, did not commit them and were answered as successes")
    return Diagnosis(
        cause=Cause.WRITE_LOST, frame=place, message=f"A promised write is lost: {why}.", evidence="; ".join(evidence)
    )


def _how_lost(result: VariantResult, late: list[Sighting], unkept: list[Sighting]) -> tuple[Frame | None, str]:
    """Where, and how."""
    unawaited = [s for s in seen(result, Sight.UNAWAITED) if s.place and s.what.endswith(WRITING)]
    if unawaited:
        top = max(unawaited, key=lambda s: s.times)
        return top.place, f"nobody awaits {top.what} at {top.place}"
    if late:
        place = most(late, lambda s: s.place)
        return place, f"{named(place)} comes after the answer, and fails"
    if unkept:
        place = most(unkept, lambda s: s.place) or endpoint(result, unkept[0].route)
        return place, f"what {named(place)} writes is rolled back"
    worst = max((i for i in result.invariants if not i.zero), key=lambda i: i.lost)
    use = next((u for u in result.routes if u.name in worst.promised_by), None)
    place = use.endpoint if use else None
    return place, f"all that {named(place)} wrote was committed, and others wrote over it"


def contract_broken(result: VariantResult) -> Diagnosis | None:
    failed = [s for s in seen(result, Sight.FAILED) if s.what.partition(" ")[0] in UNEXPECTED]
    if enough(total(failed), result):
        place = most(failed, lambda s: s.place or endpoint(result, s.route))
        return Diagnosis(
            cause=Cause.CONTRACT_BROKEN,
            frame=place,
            message=f"Answers break the contract: {named(place)} does not expect all that it gets.",
            evidence=f"{total(failed)} requests failed with {told(failed)}",
        )
    use = max(result.routes, key=lambda u: u.wrong_bodies, default=None)
    if use is None or not enough(use.wrong_bodies, result):
        return None
    return Diagnosis(
        cause=Cause.CONTRACT_BROKEN,
        frame=use.endpoint,
        message=f"Answers break the contract: {named(use.endpoint)} answers {use.route} with what it ought not.",
        evidence=f"{percent(use.wrong_bodies / use.answers)} of the answers to {use.name} had a good status, and were wrong",
    )
