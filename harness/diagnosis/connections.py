"""What is done with connections and sessions that nobody ought to do."""

from __future__ import annotations

from harness.diagnosis.reading import by_place, engine, enough, most, named, seen, timeouts, told, total
from harness.inside import Sight
from harness.judgement import Diagnosis
from harness.record import Cause, VariantResult

LEAK_SHARE = 0.05  # of the checkouts at one place
LEAK_COUNT = 3
CHURN_SHARE = 0.5  # of an engine's checkouts
DEADLOCK_COUNT = 3

FAILURES = (Sight.FAILED, Sight.MASKED, Sight.AFTER_ANSWER)
# What Postgres says when it lets nobody in, and SQLAlchemy and the drivers when two use one session or connection at once.
REFUSED = ("too many clients", "too many connections", "remaining connection slots")
SHARED_TYPES = ("IllegalStateChangeError",)
LEFT_TYPES = ("PendingRollbackError", "ResourceClosedError")  # what one request leaves of a session, another finds
SHARED_WORDS = (
    "concurrent operations are not permitted", "another operation is in progress", "another command is already in progress",
    "Session is already flushing",
)  # fmt: skip
LOST = "connection lost"  # as the probe notes it among the types


def server_overcommitted(result: VariantResult) -> Diagnosis | None:
    refused = [s for s in seen(result, *FAILURES) if any(words in s.told for words in REFUSED)]
    if not enough(total(refused), result):
        return None
    place, _ = engine(result, lambda s: s.checkouts + s.timeouts)
    return Diagnosis(
        cause=Cause.SERVER_OVERCOMMITTED,
        frame=place,
        message=f"The server refuses connections: what the pools made at {named(place)} may open, over all processes, is more than it allows.",
        evidence=f"{total(refused)} requests failed with {told(refused)}",
    )


def stale_connection(result: VariantResult) -> Diagnosis | None:
    lost = [s for s in seen(result, *FAILURES) if LOST in s.what]
    if not enough(total(lost), result):
        return None
    place, _ = engine(result, lambda s: s.checkouts)
    return Diagnosis(
        cause=Cause.STALE_CONNECTION,
        frame=place,
        message=f"Dead connections are handed out: the pool made at {named(place)} does not look whether they still work.",
        evidence=f"{total(lost)} requests failed with {told(lost)}",
    )


def session_shared(result: VariantResult) -> Diagnosis | None:
    # A session that was made before any request is the one they share; else one request uses its own twice at once.
    kept = next((s.session for s in result.checkouts if s.session and s.session.function == "<module>"), None)
    types = (*SHARED_TYPES, *LEFT_TYPES) if kept else SHARED_TYPES
    # A leaked connection that goes back late meets its next user: the driver then says the same, and the leak is the cause.
    words = () if connection_leaked(result) else SHARED_WORDS
    clashes = [
        s for s in seen(result, *FAILURES) if any(t in s.what for t in types) or any(said in s.told for said in words)
    ]
    if not enough(total(clashes), result):
        return None
    place = kept or most(clashes, lambda s: s.via)
    what = (
        f"the session made at {place} is everybody's"
        if kept
        else f"{named(place)} uses its session several times at once"
    )
    return Diagnosis(
        cause=Cause.SESSION_SHARED,
        frame=place,
        message=f"One session is used by several tasks: {what}.",
        evidence=f"{total(clashes)} requests failed with {told(clashes)}",
    )


def self_deadlock(result: VariantResult) -> Diagnosis | None:
    sites = [s for s in result.checkouts if s.nested and s.timeouts]
    groups = by_place(sites, lambda s: s.taken)
    place, worst = max(groups, key=lambda item: sum(s.timeouts for s in item[1]), default=(None, []))
    gave_up = sum(s.timeouts for s in sites)
    if gave_up < DEADLOCK_COUNT:
        return None
    return Diagnosis(
        cause=Cause.SELF_DEADLOCK,
        frame=place,
        message=f"Requests wait for each other's connections: {named(place)} asks for another while its request holds one.",
        evidence=f"{sum(s.nested for s in worst)} checkouts beside another, {gave_up} gave up" + timeouts(result),
    )


def connection_leaked(result: VariantResult) -> Diagnosis | None:
    for place, sites in by_place(result.checkouts, lambda s: s.session or s.taken):
        outlived, checkouts = sum(s.outlived for s in sites), sum(s.checkouts for s in sites)
        if outlived < LEAK_COUNT or outlived < LEAK_SHARE * checkouts:
            continue
        return Diagnosis(
            cause=Cause.CONNECTION_LEAKED,
            frame=place,
            message=f"Connections are not given back: the session made at {named(place)} is still holding one when its request is over.",
            evidence=f"{outlived} of {checkouts} checkouts outlived their request" + timeouts(result),
        )
    return None


def connection_churn(result: VariantResult) -> Diagnosis | None:
    """Only what is opened by a pool that is new, or keeps none: a pool in use also opens and closes what overflows its size."""
    place, sites = engine(result, lambda s: s.not_reused)
    opened, checkouts = sum(s.not_reused for s in sites), sum(s.checkouts for s in sites)
    if not enough(opened, result) or opened < CHURN_SHARE * checkouts:
        return None
    return Diagnosis(
        cause=Cause.CONNECTION_CHURN,
        frame=place,
        message=f"Connections are opened for each request instead of reused: the engine is made at {named(place)}.",
        evidence=f"{opened} of {checkouts} checkouts opened a connection of their own",
    )
