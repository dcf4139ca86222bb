"""The view model of the one page that a stop gets while the log is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class StopKeptPage:
    """A stop while the log is frozen: kept, in effect, no receipt yet; the same for every link and address."""

    template: ClassVar[str] = "public/stop_kept.html"
    language: str
