"""Threads that begin and end while one looks at their frames, and garbage whose end lets the others run. Ends after so many looks.

python looked_at.py LOOKS [unguarded]
"""

import gc
import sys
import threading
import time
from contextlib import nullcontext

from harness.probe.frames import Frames, uncollected


class SlowToEnd:
    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(0.003)


def down(n: int) -> None:
    if n:
        down(n - 1)
    else:
        time.sleep(0.0003)


def spawn(over: threading.Event) -> None:
    while not over.is_set():
        threads = [threading.Thread(target=down, args=(15,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        SlowToEnd()
        for thread in threads:
            thread.join()


def main() -> None:
    over, frames = threading.Event(), Frames("/nowhere")
    gc.set_threshold(10, 1000, 1000)  # so that to make a frame's object is often what starts the collector
    spawners = [threading.Thread(target=spawn, args=(over,)) for _ in range(2)]
    for spawner in spawners:
        spawner.start()
    for _ in range(int(sys.argv[1])):
        with nullcontext() if "unguarded" in sys.argv else uncollected():
            for frame in sys._current_frames().values():
                frames.entry(frame)
        time.sleep(0.0005)
    over.set()
    for spawner in spawners:
        spawner.join()


main()
