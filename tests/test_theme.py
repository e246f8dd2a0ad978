"""The colours: legible on both grounds, one ramp for every size, and the same wherever they have to be repeated."""

from __future__ import annotations

import colorsys
import itertools
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resviz.figures import theme
from resviz.figures.overlay import Look, OverlayStyle, overlay_image
from resviz.figures.theme import TOKENS, Pair, contender_styles, dark, method_styles, on_screen, rgb, signal, tint
from resviz.results import Attribution
from resviz.spec.net import NetSpec

ROOT = Path(__file__).resolve().parents[1]
THEMES = ("light", "dark")
LINES = ("ink", "identity", "plain", "cut", "signal", "control", "link", "warning")


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def grounds(of: str) -> tuple[str, str]:
    """The page and the bands and boxes on it."""
    return getattr(TOKENS["paper"], of), getattr(TOKENS["shade"], of)


def in_theme(colours: Iterable[str], of: str) -> list[str]:
    return [dark(colour) if of == "dark" else colour for colour in colours]


@pytest.mark.parametrize("of", THEMES)
def test_words_can_be_read(of: str) -> None:
    for ground in grounds(of):
        assert contrast(getattr(TOKENS["ink"], of), ground) >= 4.5
        assert contrast(getattr(TOKENS["link"], of), ground) >= 4.5
    assert contrast("#FFFFFF", getattr(TOKENS["control"], of)) >= 4.5  # on a primary button
    assert all(contrast(TOKENS["ink"].light, tint(share)) >= 4.5 for share in (0, 0.5, 1))


@pytest.mark.parametrize("of", THEMES)
def test_lines_and_marks_stand_out(of: str) -> None:
    styles = [*contender_styles([NetSpec()] * 4 + [NetSpec().plain()] * 4), *method_styles()]
    colours = [getattr(TOKENS[name], of) for name in LINES] + in_theme((style.colour for style in styles), of)
    assert not [(colour, ground) for colour in colours for ground in grounds(of) if contrast(colour, ground) < 3]


@pytest.mark.parametrize("of", THEMES)
def test_the_ramp_leads_steadily_away_from_the_page(of: str) -> None:
    paper, *_ = grounds(of)
    ramp = in_theme(signal(256), of)
    away = np.array([contrast(colour, paper) for colour in ramp])
    assert (np.diff(away) >= 0).all()
    assert away[0] < 1.6
    assert (away[128:] >= 3).all()
    assert ramp[0] == getattr(theme.RAMP[0], of)
    assert ramp[-1] == getattr(theme.RAMP[-1], of)
    zero, overflow = in_theme((theme.ZERO, theme.OVERFLOW), of)
    assert contrast(zero, ramp[0]) > 1.3  # neither is taken for an end of the ramp
    assert np.abs(np.subtract(rgb(overflow), rgb(ramp[-1]))).max() > 60


def test_a_colour_has_one_meaning_and_one_like_it_in_the_dark() -> None:
    lights = [pair.light for pair in TOKENS.values()]
    assert len(set(lights)) == len(lights)
    for pair in TOKENS.values():
        assert dark(pair.light) == pair.dark
        assert on_screen(pair.light) == (
            pair.light if pair == Pair(pair.light, pair.light) else f"light-dark({pair.light}, {pair.dark})"
        )
    for family in (contender_styles([NetSpec()] * 4 + [NetSpec().plain()] * 4), method_styles()):
        assert all(one != other for one, other in itertools.combinations(family, 2))


def test_blue_is_for_what_can_be_pressed_alone() -> None:
    styles = [*contender_styles([NetSpec()] * 4 + [NetSpec().plain()] * 4), *method_styles()]
    data = [style.colour for style in styles] + [style.mark for style in styles if style.mark]
    data += [*signal(256), *(pair for name in LINES if name not in ("ink", "control", "link") for pair in TOKENS[name])]
    for red, green, blue in map(rgb, (*data, *map(dark, data))):
        hue = 360 * colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[0]
        grey = max(red, green, blue) - min(red, green, blue) < 40
        assert grey or not 190 < hue < 255


@pytest.mark.parametrize("of", THEMES)
def test_streamlit_is_told_the_same_colours(of: str) -> None:
    configuration = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert configuration["theme"][of] == theme.streamlit_theme(of)


def test_the_style_sheet_knows_colours_by_their_names_alone() -> None:
    sheet = (ROOT / "assets" / "style.css").read_text(encoding="utf-8")
    named = [word.partition(")")[0] for word in sheet.split("var(--")[1:]]
    assert named
    assert set(named) <= TOKENS.keys()
    assert not re.findall(r"#[0-9A-Fa-f]{6}\b", sheet)


@pytest.mark.parametrize("style", OverlayStyle)
def test_no_colour_but_the_maps_is_seen_under_a_map(style: OverlayStyle) -> None:
    photograph = Image.new("RGB", (32, 32), (200, 30, 60))
    values = np.zeros((8, 8))
    values[:2, :2] = 1.0
    shown = np.asarray(overlay_image(photograph, Attribution("saliency", 0, values, True), Look(0.7, style, 90.0, 0.5)))
    under, beside = shown[16, 8].tolist(), shown[16, 24].tolist()
    assert beside == [200, 30, 60]  # right of the wipe it is the photograph
    if style is OverlayStyle.SIGNED:
        assert len(set(under)) == 1


def test_the_sign_has_the_colours_of_the_page() -> None:
    drawing = (ROOT / "assets" / "mark.svg").read_text(encoding="utf-8")
    assert set(re.findall(r"#[0-9A-Fa-f]{6}\b", drawing)) == {
        shade for name in ("ink", "identity", "paper") for shade in TOKENS[name]
    }
