"""What is wrong inside a target, concluded from what was measured alone. Pure.

Each rule looks at one mechanism and gives at most one diagnosis; causes come before their consequences, and what one that was
found explains is not named again: a leak drains the pool, so that its waits are no finding of their own.
"""

from __future__ import annotations

from harness.diagnosis.answers import contract_broken, error_masked, write_lost
from harness.diagnosis.connections import (
    connection_churn,
    connection_leaked,
    self_deadlock,
    server_overcommitted,
    session_shared,
    stale_connection,
)
from harness.diagnosis.loop import loop_blocked
from harness.diagnosis.size import oversized_response, too_many_queries
from harness.diagnosis.waiting import connection_pinned, pool_undersized, threads_exhausted
from harness.judgement import Diagnosis
from harness.record import Cause, VariantResult

# Causes before consequences.
_RULES = (
    stale_connection, session_shared, self_deadlock, error_masked, too_many_queries, oversized_response, loop_blocked,
    connection_leaked, connection_churn, server_overcommitted, write_lost, contract_broken, connection_pinned, pool_undersized,
    threads_exhausted,
)  # fmt: skip

_WAITS = frozenset({Cause.CONNECTION_PINNED, Cause.POOL_UNDERSIZED, Cause.THREADS_EXHAUSTED})
_BAD_ANSWERS = frozenset({Cause.WRITE_LOST, Cause.CONTRACT_BROKEN})
# What a cause explains, once it is found.
_EXPLAINS = {
    Cause.SERVER_OVERCOMMITTED: _WAITS | _BAD_ANSWERS,
    Cause.STALE_CONNECTION: _BAD_ANSWERS | {Cause.CONNECTION_CHURN},
    Cause.SESSION_SHARED: _WAITS | _BAD_ANSWERS | {Cause.CONNECTION_LEAKED},
    Cause.SELF_DEADLOCK: _WAITS,
    Cause.ERROR_MASKED: frozenset({Cause.CONTRACT_BROKEN}),
    Cause.TOO_MANY_QUERIES: _WAITS,
    Cause.CONNECTION_LEAKED: _WAITS | {Cause.CONNECTION_CHURN},
    Cause.CONNECTION_CHURN: _WAITS | {Cause.SERVER_OVERCOMMITTED},
    Cause.WRITE_LOST: frozenset({Cause.CONTRACT_BROKEN}),
    Cause.CONNECTION_PINNED: _WAITS,
    Cause.POOL_UNDERSIZED: _WAITS,
}


def diagnose(result: VariantResult) -> tuple[Diagnosis, ...]:
    """Everything that the rules find in a variant's pooled windows, causes before consequences."""
    found: list[Diagnosis] = []
    explained: set[Cause] = set()
    for rule in _RULES:
        diagnosis = rule(result)
        if diagnosis is not None and diagnosis.cause not in explained:
            found.append(diagnosis)
            explained |= _EXPLAINS.get(diagnosis.cause, frozenset())
    return tuple(found)
