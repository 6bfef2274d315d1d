"""The terms of a report and what they mean, for whoever meets them for the first time. Data, and a function that looks it up."""

from __future__ import annotations

from collections.abc import Iterable

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("throughput", "All answers per second, right or wrong."),
    ("goodput", "Correct answers per second. An error sent back quickly raises throughput and not goodput."),
    (
        "ceiling",
        "The most requests per second that the mechanism can allow, worked out before measuring: one over the time for "
        "which a request holds the scarce thing, times how many of that thing there are.",
    ),
    (
        "response time",
        "From the moment at which a request was meant to start until its answer was complete. In a closed model that is "
        "when it was sent; in an open model it includes any delay in sending.",
    ),
    ("p50, p99", "Half of the requests, and 99 of 100, were answered within this time."),
    (
        "loop lag",
        "How late the event loop came to a callback that was due. One thread runs the loop: while it is busy with one "
        "request, all others stand still.",
    ),
    (
        "thread tokens",
        "A plain def route, or a blocking call that is sent to a thread, needs one of 40 tokens. Who finds none waits.",
    ),
    ("checkout wait", "Time between asking the connection pool for a connection and getting it, or giving up."),
    ("hold", "Time between getting a connection and giving it back."),
    (
        "canary",
        "A light request, sent at a steady rate beside the load, that needs nothing the load uses. It shows what the "
        "neighbours of a slow route feel.",
    ),
    ("warm-up, window", "Requests of the warm-up are sent and not counted; the figures come from the window after it."),
    (
        "invalid",
        "A trial whose own measurement cannot be trusted. It is shown with its reasons and used for no figure.",
    ),
)

# A word of an effect -> a sentence for whoever has not met it.
EFFECT_TERMS = {
    "p99": "p99: 99 of 100 requests take no longer; p50: half of them.",
    "canary": "The canary is a light request, sent beside the load: it shows what neighbours of a slow route feel.",
    "hops": "A hop is one call that is run in a worker thread.",
    "promised": "A row is promised when a right answer says that it was written.",
}

# Terms that are explained only where the figure is shown.
TERM_FIGURES = {
    "ceiling": "ceiling_rps",
    "loop lag": "loop_lag_p99_s",
    "thread tokens": "tokens_in_use_max",
    "checkout wait": "checkout_wait_p95_s",
    "hold": "hold_p50_s",
    "canary": "canary_p50_s",
}


def effect_terms(effects: Iterable[str]) -> tuple[str, ...]:
    """A sentence on each term that these effects use."""
    told = " ".join(effects)
    return tuple(text for term, text in EFFECT_TERMS.items() if term in told)
