"""Does what is in the queue, in a process of its own, until the app that started it is gone."""

import os
import sys
import threading

from target_apps.background_blocking.fixed import queue

JOBS_AT_ONCE = 10


def end_with_the_app() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_app, daemon=True).start()
    queue.run_worker(concurrency=JOBS_AT_ONCE)
