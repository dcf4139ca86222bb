"""`python -m bench [NAME …] [--engine sqlite|postgresql]`: run benches, print their figures as a table."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from bench.engines import ENGINES
from bench.figures import Figure, show

BENCHES = (
    "tokens",
    "decide",
    "append",
    "apart",
    "proofs",
    "verify",
    "web",
    "timing",
    "permits",
    "crash",
    "writers",
    "memory",
    "fsck",
)
ALONE = ("million",)  # only when named: memory lets the same log grow


def main() -> int:
    """Runs the named benches (all by default); exits 1 when a limit was missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, *ALONE, []], default=[])
    parser.add_argument("--engine", choices=ENGINES, action="append")
    words = parser.parse_args()
    figures: list[Figure] = []
    for name in words.names or BENCHES:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += import_module(f"bench.{name}").run(words.engine or ENGINES)
    show(figures)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
