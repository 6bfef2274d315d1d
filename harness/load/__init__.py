"""Runs inside Locust's process: pacing and recording. The only room that knows gevent."""

import locust as locust  # first: it patches the standard library, which nothing here may have imported in pieces before
