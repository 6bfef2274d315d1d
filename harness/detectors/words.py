"""What the page on detectors says that does not depend on what was measured. Data."""

from __future__ import annotations

from harness.detectors.record import Detector
from harness.detectors.static import RUFF_RULES

HEAD = """\
# Which tool finds which bug

Every bug of the catalogue, and six ways to look for it. This page is generated, never typed, from [detectors.json](detectors.json): \
`harness detectors RUN --refresh --write docs/detectors.md` looks again and takes the harness' own column from a run.

A tool has *found* a bug when it says something of the buggy variant that it does not say of the fixed one, and that has to do with what \
differs between them. For ruff and mypy: a rule, in a function or on a line that the fix changes, that is not reported in the same function \
of the fixed variant. For debug mode and blockbuster: a kind of report (a slow step, a call that blocks) that the run of the buggy \
variant has and that of the fixed one has not; a step that was slow only once is not counted, since an app's first request imports and \
connects. For one user alone: other answers. Of the harness more is asked: the first cause that it names must be \
the one that the pair states. The *line* is right when a report behind the find names the marked line or the function that it \
stands in. A *false alarm* is a report on the fixed variant, for ruff and mypy in what the fix changes, for blockbuster with a line of \
the app in its stack. Where a tool, or the app under it, did not get through, that is neither found nor missed.
"""

SEES = {
    Detector.SEQUENTIAL: (
        "One user sends a few requests, one at a time, as a test suite does; answers are compared between the variants. The pairs are made "
        "so that it finds nothing: what it shows is that a test of that kind would not have."
    ),
    Detector.RUFF: (
        f"Reads one file without running it (rules {RUFF_RULES}, `noqa` ignored). It knows certain calls by name where they stand right in an "
        "`async def`; it does not follow a call into a helper, a library or a session, and knows nothing of pools, threads and transactions."
    ),
    Detector.MYPY: (
        "Reads types, across files, without running anything. It sees a coroutine that nobody awaits and a value that may be None; that a "
        "call blocks, holds a connection or loses a write is in no type."
    ),
    Detector.ASYNCIO: (
        "Logs each step of the loop that takes more than 0.1 s, and coroutines that nobody awaited. Of a slow step it names the task's outermost "
        "coroutine, which under uvicorn is uvicorn's own, whatever line blocked. What blocks for less than 0.1 s, off the loop, or in the "
        "pool, it does not see, and a busy machine makes steps slow that block nothing. Debug mode was switched on from inside: on Python 3.11 "
        "uvicorn overrules PYTHONASYNCIODEBUG."
    ),
    Detector.BLOCKBUSTER: (
        "Raises from Python's own blocking calls (sleep, files, sockets, SQLite, locks) when a loop runs in that thread; here it was told of "
        "and let through, so that one report does not hide the next. With the stack it has the line. Calls that block inside C, such as those of "
        "psycopg's libpq or of a hash, and computing, it does not see; nor what happens off the loop. Start-up code and short "
        "file look-ups inside libraries are reported as well; its users exempt them one by one."
    ),
    Detector.HARNESS: (
        "Watches the loop, the threads and the pool from inside while many users load the app. It needs a load that shows the bug, and a scenario "
        "that says which answers are right; the catalogue has both made for each bug, which favours it here. What costs nothing under load it "
        "does not see."
    ),
}
