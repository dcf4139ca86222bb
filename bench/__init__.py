"""Measurements against the limits that the project set itself: `make bench`, figures in docs/benchmarks.md."""
