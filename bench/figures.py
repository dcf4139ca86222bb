"""One way to say a figure: what, measured, limit, held or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `limit` is a floor unless `ceiling`; None when it is only for information."""

    engine: str
    name: str
    value: float
    unit: str
    limit: float | None = None
    ceiling: bool = False

    @property
    def held(self) -> bool:
        """True when there is no limit or the figure keeps it."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.ceiling else self.value >= self.limit


def show(figures: Sequence[Figure]) -> None:
    """Prints the figures as a Markdown table, ready for docs/benchmarks.md."""
    print("| engine | what | measured | limit | |")
    print("|---|---|---|---|---|")
    for figure in figures:
        sign = "≤" if figure.ceiling else "≥"
        limit = "" if figure.limit is None else f"{sign} {figure.limit:,g} {figure.unit}"
        verdict = "" if figure.limit is None else ("held" if figure.held else "**missed**")
        value = f"{figure.value:,.3f}" if figure.value < 100 else f"{figure.value:,.0f}"
        print(f"| {figure.engine} | {figure.name} | {value} {figure.unit} | {limit} | {verdict} |")


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value below which `share` (0 to 1) of the values lie, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
