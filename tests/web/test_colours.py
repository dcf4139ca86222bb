"""A sender's colour is readable on our pages, whatever the sender chose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.web import colours

CSS = Path(colours.__file__).parents[1] / "static" / "pages.css"
HEX = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


@given(HEX, st.booleans())
def test_text_and_edges_reach_their_ratio_on_every_surface(value: str, dark: bool) -> None:
    made = colours.scheme(value, dark=dark)
    surfaces = colours.DARK_SURFACES if dark else colours.LIGHT_SURFACES
    read = colours.parse_colour
    assert colours.contrast(read(made.fill), read(made.on_fill)) >= 4.5
    for surface in surfaces:
        assert colours.contrast(read(made.text), read(surface)) >= 4.5
        assert colours.contrast(read(made.edge), read(surface)) >= 3.0


@pytest.mark.parametrize(
    "value",
    [None, "", "red", "#12", "#1234567", "}body{display:none", "#ffffff;x", "#١٢٣", "#fff\n"],
)
def test_anything_but_a_colour_is_the_default_colour(value: str | None) -> None:
    assert colours.stylesheet(value) == colours.stylesheet(colours.DEFAULT_COLOUR)


@given(st.text())
def test_nothing_can_be_written_into_a_stylesheet(value: str) -> None:
    assert re.fullmatch(r"[:{};@(),\-\w#\s]*", colours.stylesheet(value))
    assert colours.stylesheet(value).count("{") == 3


def test_the_surfaces_here_are_the_surfaces_of_the_stylesheet() -> None:
    css = CSS.read_text()
    named = {name: re.findall(rf"--{name}: (#\w+);", css) for name in ("paper", "surface", "panel")}
    assert {light for light, _ in named.values()} == set(colours.LIGHT_SURFACES)
    assert {dark for _, dark in named.values()} == set(colours.DARK_SURFACES)


def test_the_default_colours_of_the_stylesheet_are_computed_ones() -> None:
    css = CSS.read_text()
    for dark in (False, True):
        made = colours.scheme(None, dark=dark)
        for name, value in (
            ("brand", made.fill),
            ("on-brand", made.on_fill),
            ("brand-text", made.text),
            ("brand-edge", made.edge),
        ):
            assert re.findall(rf"--{name}: (#\w+);", css)[dark] == value
