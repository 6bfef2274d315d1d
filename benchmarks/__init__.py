"""How good the harness itself is. Each module is one command and prints one table: ``python -m benchmarks.probe_cost``."""
