"""Samples of an app that several processes serve -> samples of the app. Pure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SUMMED = ("in_flight", "tokens_in_use", "tokens_waiting", "connections_out", "checkout_waiting", "rss_bytes")


def process_count(samples: pa.Table) -> int:
    """How many processes the samples are of; one where there are none."""
    return max(1, len(pc.unique(samples["process"])))


def summed(samples: pa.Table) -> pa.Table:
    """The samples of one trial with each of :data:`SUMMED` summed over the processes, at every moment at which one was sampled.

    A process counts with its latest sample, so that the sums begin when each has been sampled. What one process alone has said is
    returned as it is.
    """
    if process_count(samples) == 1:
        return samples
    samples = samples.sort_by("t_s")
    at_s = samples["t_s"].to_numpy()
    processes = samples["process"].to_numpy()
    numbers = np.unique(processes)
    rows = {number: np.flatnonzero(processes == number) for number in numbers}
    complete = at_s >= max(at_s[mine[0]] for mine in rows.values())
    latest = {n: mine[np.maximum(np.searchsorted(at_s[mine], at_s, side="right") - 1, 0)] for n, mine in rows.items()}
    for name in SUMMED:
        column = samples[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        total = np.sum([column[indexes] for indexes in latest.values()], axis=0)
        array = pa.array(total, from_pandas=True).cast(samples.schema.field(name).type, safe=False)
        samples = samples.set_column(samples.schema.get_field_index(name), samples.schema.field(name), array)
    return samples.filter(pa.array(complete))
