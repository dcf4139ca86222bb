"""Were you allowed to send this message to this person? Answered with proof."""

from __future__ import annotations

__version__ = "0.1.0"
