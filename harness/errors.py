"""The exceptions of the harness, and the exit codes they stand for.

    HarnessError                  exit 2
    ├── UsageError                a flag, a name or a file that the user gave
    └── SetupError                something this machine could not provide
        └── TargetError           the app did not start, or ended when it should not

Every one carries a single sentence that says what is wrong and what to do; the command line prints it and no traceback.
"""

from __future__ import annotations


class HarnessError(Exception):
    """Anything that ends a command with one sentence instead of a traceback."""


class UsageError(HarnessError):
    """The user's input cannot be used: names the flag, file or key."""


class SetupError(HarnessError):
    """This machine, or a server, could not provide what a run needs."""


class TargetError(SetupError):
    """The app under test failed to start or died."""
