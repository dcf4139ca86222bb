"""A sender's colour made safe to read, whatever the sender chose (WCAG 2.2, 1.4.3 and 1.4.11).

Pure arithmetic: a colour in, custom properties for light and dark pages out. Text on the colour,
the colour as text and the colour as an edge each meet their ratio on every surface of pages.css.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The surfaces of static/pages.css that a sender's colour may lie on; a test compares them.
LIGHT_SURFACES = ("#ffffff", "#f5f4f1", "#faf9f7")
DARK_SURFACES = ("#1b1d20", "#121315", "#222529")
DEFAULT_COLOUR = "#1d5b79"
TEXT_RATIO = 4.5
EDGE_RATIO = 3.0

_HEX = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})", re.ASCII)

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scheme:
    """Four colours as #rrggbb: fill, text on the fill, the colour as text, the colour as an edge."""

    fill: str
    on_fill: str
    text: str
    edge: str


def parse_colour(value: str | None) -> Rgb:
    """Read `#rgb` or `#rrggbb`; anything else is the default colour, never an error on a page."""
    match = _HEX.fullmatch(value or "")
    digits = match.group(1) if match else DEFAULT_COLOUR[1:]
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def to_hex(colour: Rgb) -> str:
    """Write a colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definition)."""
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, definition)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(fill: Rgb) -> Rgb:
    """Text for a fill: white where it is readable, else a soft black, else black."""
    for candidate in ((255, 255, 255), (20, 21, 23), (0, 0, 0)):
        if contrast(fill, candidate) >= TEXT_RATIO:
            return candidate
    return max(((255, 255, 255), (0, 0, 0)), key=lambda ink: contrast(fill, ink))


def readable(colour: Rgb, surfaces: tuple[str, ...], towards: Rgb, ratio: float) -> Rgb:
    """The nearest mix of `colour` with `towards` that reaches `ratio` on every surface."""
    grounds = [parse_colour(surface) for surface in surfaces]
    for step in range(101):
        mixed = _mix(colour, towards, step / 100)
        if min(contrast(mixed, ground) for ground in grounds) >= ratio:
            return mixed
    return towards


def _mix(colour: Rgb, towards: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, towards, strict=True))
    return red, green, blue


def scheme(value: str | None, *, dark: bool) -> Scheme:
    """The safe colours of one sender for light or dark pages."""
    colour = parse_colour(value)
    surfaces = DARK_SURFACES if dark else LIGHT_SURFACES
    towards = (255, 255, 255) if dark else (0, 0, 0)
    return Scheme(
        fill=to_hex(colour),
        on_fill=to_hex(text_on(colour)),
        text=to_hex(readable(colour, surfaces, towards, TEXT_RATIO)),
        edge=to_hex(readable(colour, surfaces, towards, EDGE_RATIO)),
    )


def stylesheet(value: str | None) -> str:
    """The whole of a sender's stylesheet: custom properties, nothing a sender can write into."""
    light, dark = (_properties(scheme(value, dark=is_dark)) for is_dark in (False, True))
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _properties(colours: Scheme) -> str:
    return (
        f"--brand:{colours.fill};--on-brand:{colours.on_fill};"
        f"--brand-text:{colours.text};--brand-edge:{colours.edge}"
    )
