"""`python -m bench [NAME …] [--engine sqlite|postgresql] [--recipients N]`: run benches, print a table of figures."""

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
    "bulk",
    "races",
    "crash",
    "writers",
    "memory",
    "fsck",
    "limits",
    "siege",
    "flood",
    "embed",
)
ALONE = ("million",)  # only when named: memory lets the same log grow


def main() -> int:
    """Runs the named benches (all by default); exits 1 when a limit was missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, *ALONE, []], default=[])
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--recipients", type=int, help="how many `bulk` asks about (a million)")
    words = parser.parse_args()
    figures: list[Figure] = []
    for name in words.names or BENCHES:
        print(f"{name} …", file=sys.stderr, flush=True)
        more = {"recipients": words.recipients} if name == "bulk" and words.recipients else {}
        figures += import_module(f"bench.{name}").run(words.engine or ENGINES, **more)
    show(figures)
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
