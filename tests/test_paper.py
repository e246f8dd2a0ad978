"""Figures for papers: their size, type, colours and numbers."""

from __future__ import annotations

import base64
import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageColor

from resviz.figures.chart import Axis, Chart, Heat, Markers, Note, Rule, Series
from resviz.figures.diagram import block_diagram, network_diagram
from resviz.figures.overlay import Look, OverlayStyle, poles
from resviz.figures.paper import Maps, Paper, bibtex, card_file, chart_csv, chart_file, diagram_file, maps_file, maps_npz
from resviz.figures.theme import PLAIN, RESIDUAL_LINE, LineStyle
from resviz.nets.cost import layer_table
from resviz.results import Attribution
from resviz.spec.presets import PRESETS

CHART = Chart(
    300,
    Axis("layer", (0, 4), ((0, "conv1"), (3, "fc"))),
    Axis("norm", ticks=((0, "10⁰"), (1, "10¹"))),
    (
        Series("residual", [0, 1, 2, 3], [0.1, 0.25, float("nan"), 0.5], RESIDUAL_LINE, (("a", "1"),), Markers()),
        Series("plain", [0, 1, 2, 3], [1.0, 0.8, 0.3, 0.1], LineStyle(PLAIN, "dash", "square"), (), Markers("square")),
    ),
    rules=(Rule("#0072B2", x=2),),
    notes=(Note("guessing", y=0.9),),
)
HEAT = Chart(
    300,
    Axis("step", (1, 9)),
    Axis("layer", (-0.5, 1.5)),
    heat=Heat("net", ("conv1", "fc"), np.array([1, 4, 8]), np.array([[0.1, np.nan, -9], [1.0, 0.5, 0.2]]), 0.0, 1.0, ((0.0, "1"), (1.0, "10"))),
)  # fmt: skip


def colours(svg: bytes) -> set[str]:
    return {each.lower() for each in re.findall(rb"#[0-9a-fA-F]{6}", svg)}  # type: ignore[misc]


@pytest.mark.parametrize("width", [3.25, 6.75])
def test_a_figure_is_as_wide_as_the_column_and_its_letters_are_letters(width: float) -> None:
    svg = chart_file(CHART, "Gradient norms", "svg", Paper(width, 7))
    root = ET.fromstring(svg)
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(72 * width)
    words = {text for each in root.iter("{http://www.w3.org/2000/svg}text") if (text := (each.text or "").strip())}
    assert {"layer", "norm", "conv1", "fc", "10⁰", "residual", "plain", "guessing"} <= words
    assert "font: 7px" in svg.decode() or "font-size: 7px" in svg.decode() or "7px 'DejaVu Sans'" in svg.decode()


def test_the_lines_and_symbols_have_the_theme_s_colours_or_none() -> None:
    assert PLAIN.lower().encode() in colours(chart_file(CHART, "x", "svg", Paper()))
    for file in (
        chart_file(CHART, "x", "svg", Paper(grey=True)),
        diagram_file(network_diagram(layer_table(PRESETS["resnet20"], 32)), "x", "svg", Paper(6.75, grey=True)),
    ):
        drawn = colours(file)
        assert len(drawn) > 2
        assert all(each[1:3] == each[3:5] == each[5:7] for each in drawn)


@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
@pytest.mark.parametrize("chart", [CHART, HEAT])
def test_a_file_is_the_same_whenever_it_is_made(chart: Chart, form: str, begins: bytes) -> None:
    one, two = (chart_file(chart, "x", form, Paper()) for _ in range(2))
    assert one == two
    assert one.startswith(begins)


def test_the_numbers_go_along() -> None:
    rows = list(csv.DictReader(io.StringIO(chart_csv(CHART))))
    assert [row["norm"] for row in rows if row["series"] == "residual"] == ["0.1", "0.25", "nan", "0.5"]
    assert rows[0]["name"] == "a"
    cells = list(csv.DictReader(io.StringIO(chart_csv(HEAT))))
    assert {(row["step"], row["name"]): row["value"] for row in cells}["4", "fc"] == "0.5"
    assert len(cells) == 6


def test_a_diagram_keeps_its_words_and_its_proportions() -> None:
    diagram = block_diagram(layer_table(PRESETS["resnet50"], 224), "layer2.0")
    root = ET.fromstring(diagram_file(diagram, "A block", "svg", Paper(5)))
    words = " ".join(each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "projection 1×1" in words
    assert words.count("BN") == 3
    wide, high = (float(root.attrib[name].removesuffix("pt")) for name in ("width", "height"))
    assert wide == pytest.approx(360)
    assert high / wide == pytest.approx(diagram.height / diagram.width, rel=0.05)


def test_a_card_has_the_size_of_previews_and_shows_this_network() -> None:
    one, other = (
        card_file(network_diagram(layer_table(PRESETS[name], 32)), name, "What is a residual network made of?")
        for name in ("resnet20", "resnet56")
    )
    with Image.open(io.BytesIO(one)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 630))
    assert one != other


@pytest.mark.parametrize(
    ("page", "cited"), [("Build", ["he2016deep", "resviz"]), ("Landscape", ["he2016deep", "li2018visualizing", "resviz"])]
)
def test_what_is_cited_can_be_read(page: str, cited: list[str]) -> None:
    text = bibtex(page, "0.1.0", 2026)
    assert re.findall(r"@\w+\{(\w+),", text) == cited
    assert text.count("{") == text.count("}")
    assert "version = {0.1.0}" in text


def shown(signed: bool = True, **look: object) -> Maps:
    values = np.linspace(-1, 1, 64).reshape(8, 8)
    photograph = Image.fromarray(np.full((64, 64, 3), (200, 40, 40), np.uint8))
    maps = {
        name: Attribution("saliency", 0, values if signed else np.abs(values), signed)
        for name in ("Saliency", "Grad-CAM", "Occlusion")
    }
    return Maps(photograph, maps, replace(Look(), **look), {"Occlusion": 4.0})


def pictures(svg: bytes) -> list[np.ndarray]:
    """The pictures of a file, in order; SVG has them upside down, and turned over where they stand."""
    found = re.findall(rb'href="data:image/png;base64,\s*([^"]+)"', svg)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB")).astype(int)[::-1] for each in found]


@pytest.mark.parametrize("width", [3.25, 6.75])
def test_maps_stand_in_rows_with_their_titles_as_letters_and_a_scale(width: float) -> None:
    svg = maps_file(shown(), "Evidence", "svg", Paper(width, 7))
    root = ET.fromstring(svg)
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(72 * width)
    words = [text for each in root.iter("{http://www.w3.org/2000/svg}text") if (text := (each.text or "").strip())]
    assert words[:4] == ["Photograph", "Saliency", "Grad-CAM", "Occlusion"]
    assert {"against", "0", "for"} <= set(words)
    assert {"0", "strong"} <= set(re.findall(r">([^<>]+)</text>", maps_file(shown(False), "Evidence", "svg", Paper()).decode()))
    assert maps_file(shown(style=OverlayStyle.MASKED), "Evidence", "pdf", Paper()).startswith(b"%PDF")


def test_a_shared_scale_makes_a_map_paler_and_what_is_wiped_aside_is_printed() -> None:
    _, saliency, cam, occlusion, _ = pictures(maps_file(shown(wipe=0.3), "Evidence", "svg", Paper()))
    assert (saliency == cam).all()
    assert np.ptp(saliency, axis=2).max() > 2 * np.ptp(occlusion, axis=2).max()  # 4 has the full colour, and 1 is its most


def test_maps_without_colours_tell_for_from_against_by_lightness() -> None:
    photograph, saliency, *_ = pictures(maps_file(shown(), "Evidence", "svg", Paper(grey=True)))
    assert not np.ptp(photograph, axis=2).any()
    assert not np.ptp(saliency, axis=2).any()
    down = saliency[..., 0].mean(axis=1)  # from against to for
    assert (np.diff(down) >= 0).all()
    assert down[0] < 40
    assert down[-1] > 215


def test_what_a_change_took_from_a_magnitude_has_its_colour_on_the_scale() -> None:
    whole = shown(signed=False)
    change = replace(whole.maps["Saliency"], values=np.linspace(-1, 1, 64).reshape(8, 8))
    svg = maps_file(replace(whole, maps={**whole.maps, "After − before": change}), "Evidence", "svg", Paper())
    assert {"less", "0", "more"} <= set(re.findall(r">([^<>]+)</text>", svg.decode()))
    ends = pictures(svg)[-1][0, [0, -1]]
    for end, colour in zip(ends, reversed(poles(False)), strict=True):
        np.testing.assert_allclose(end, ImageColor.getrgb(colour), atol=3)
    without = pictures(maps_file(replace(whole, maps={"Change": change}), "Evidence", "svg", Paper(grey=True)))[1]
    assert (np.diff(without[..., 0].mean(axis=1)) >= 0).all()


def test_the_words_of_an_axis_are_no_longer_than_it() -> None:
    title = "held-out pictures named right, %"
    svg = chart_file(replace(CHART, y=replace(CHART.y, title=title)), "a", "svg", Paper()).decode()
    lines = [text for text in re.findall(r">([^<>]+)</text>", svg) if text.strip() in title]
    assert len([line for line in lines if len(line) > 4]) == 2


def test_the_data_beside_maps_are_their_raw_values() -> None:
    held = np.load(io.BytesIO(maps_npz(shown())))
    assert list(held) == ["photograph", "Saliency", "Grad-CAM", "Occlusion"]
    np.testing.assert_array_equal(held["Occlusion"], shown().maps["Occlusion"].values)
