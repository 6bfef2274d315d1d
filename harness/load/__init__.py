"""Runs inside Locust's process: pacing and recording. The only room that knows gevent."""
