"""Starts, watches and stops one variant under uvicorn."""
