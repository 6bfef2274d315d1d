"""A concurrency load-test harness for FastAPI."""

__version__ = "0.1.0"
