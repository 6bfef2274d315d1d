"""Does what is in the queue, in a process of its own."""

from target_apps.background_blocking.fixed import queue

JOBS_AT_ONCE = 10


def run() -> None:
    queue.run_worker(concurrency=JOBS_AT_ONCE)


if __name__ == "__main__":
    run()
