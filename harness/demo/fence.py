"""Loaded into the process that starts edited apps, and into no other: importing it puts up the fence.

What an edited app starts, and lets go of, comes back to this process: so nothing can outlive the app unseen, whatever it does to get
away. When this process ends, as it does with the one that started it, it ends all that is below it.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys

from harness.demo.ending import end_all_below

_PR_SET_CHILD_SUBREAPER = 36

if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
atexit.register(end_all_below, os.getpid())  # its own children leave without: they end by os._exit
