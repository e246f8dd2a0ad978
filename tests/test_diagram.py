"""The block diagram's geometry: legs meet the trunk, words lie free, what is clicked is what is seen."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from resviz.figures.diagram import WORDS, Diagram, Shape, block_diagram, network_diagram, to_svg
from resviz.nets.cost import layer_table
from resviz.results import LayerTable
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS

GOLDEN = Path(__file__).parent / "golden"
NETS = {
    "resnet20": PRESETS["resnet20"],
    "resnet56, some cut": PRESETS["resnet56"].toggled("layer1.2").toggled("layer2.0"),
    "resnet50": PRESETS["resnet50"],
    "resnet50d": PRESETS["resnet50d"],
    "resnet152": PRESETS["resnet152"],
    "resnet1202": PRESETS["resnet1202"],
    "resnet164": PRESETS["resnet164"],
    "plain20": PRESETS["plain20"],
    "six stages": NetSpec(blocks=(1, 1, 1, 1, 1, 1)),
}


def table_of(spec: NetSpec) -> LayerTable:
    return layer_table(spec, 224 if spec.stem.photographs else 32)


def drawn(spec: NetSpec, vertical: bool) -> Diagram:
    return network_diagram(table_of(spec), vertical=vertical, room=12 if vertical else 30)


def numbers(path: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", path)]


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_both_legs_of_every_skip_meet_the_trunk(name: str, vertical: bool) -> None:
    shapes = drawn(NETS[name], vertical).shapes
    trunk = numbers(next(str(s.attrs["d"]) for s in shapes if s.css == "trunk"))
    middle = trunk[0 if vertical else 1]
    legs = [numbers(str(s.attrs["d"])) for s in shapes if s.css.startswith("arc")]
    assert bool(legs) == NETS[name].residual
    for leg in legs:
        across = leg[0::2] if vertical else leg[1::2]
        assert across[0] == across[-1] == middle


def box(text: Shape) -> tuple[float, float, float, float]:
    """What a word covers, by a mean letter's width: (left, top, right, bottom)."""
    size = WORDS
    wide = 0.56 * size * len(text.text)
    x, y = float(text.attrs["x"]), float(text.attrs["y"])
    left = {"middle": x - wide / 2, "start": x}[str(text.attrs["text-anchor"])]
    return left, y - 0.8 * size, left + wide, y + 0.2 * size


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_no_word_lies_over_another_or_over_a_layer_or_leaves_the_picture(name: str, vertical: bool) -> None:
    diagram = drawn(NETS[name], vertical)
    words = [(s.text, box(s)) for s in diagram.shapes if s.tag == "text"]
    bars = [
        (s.name, (float(a["x"]), float(a["y"]), float(a["x"]) + float(a["width"]), float(a["y"]) + float(a["height"])))
        for s in diagram.shapes
        if s.tag == "rect" and s.css in ("layer", "minor", "hollow") and (a := s.attrs)
    ]
    pairs = itertools.chain(itertools.combinations(words, 2), itertools.product(words, bars))
    for (one, (l0, t0, r0, b0)), (other, (l1, t1, r1, b1)) in pairs:
        assert not (l0 < r1 and l1 < r0 and t0 < b1 and t1 < b0), (one, other)
    for word, (left, top, right, bottom) in words:
        assert left >= -2, word
        assert top >= 0, word
        assert right <= diagram.width, word
        assert bottom <= diagram.height, word


def test_the_word_before_the_first_stage_lies_beside_its_band() -> None:
    for vertical in (False, True):
        diagram = drawn(PRESETS["resnet56"], vertical)
        image = box(next(s for s in diagram.shapes if s.text == "image"))
        band = next(s for s in diagram.shapes if s.css == "band").attrs
        start, end = (float(band["y"]), image[3]) if vertical else (float(band["x"]), image[2])
        assert end <= start + 1


def test_a_dropped_branch_is_hollow_and_a_cut_skip_can_still_be_clicked() -> None:
    spec = replace(PRESETS["resnet20"], dropped=frozenset({"layer2.1"}), cut=frozenset({"layer1.0"}))
    shapes = drawn(spec, False).shapes
    assert {s.name for s in shapes if s.css == "hollow"} == {"layer2.1.conv1", "layer2.1.conv2"}
    assert [s.action for s in shapes if s.css == "arc cut"] == ["cut:layer1.0"]
    assert to_svg(drawn(spec, False), "title").count('class="arc cut"') == 1


def test_a_skip_that_averages_says_so() -> None:
    table = table_of(PRESETS["resnet50d"])
    for name, words in (("layer1.0", "projection 1×1"), ("layer2.0", "mean, then 1×1")):
        assert words in [shape.text for shape in block_diagram(table, name).shapes]
    arcs = {shape.name: shape.label for shape in network_diagram(table).shapes if shape.css == "arc"}
    assert arcs["layer2.0"] == "averaged projection skip of layer2.0, on; click to cut this skip"
    boxes = [shape.name for shape in network_diagram(table).shapes if shape.css == "projection"]
    assert boxes == ["layer1.0.downsample.1", *(f"layer{n}.0.downsample.1" for n in (2, 3, 4))]


def golden() -> dict[str, str]:
    """Diagrams as SVG text by file name: a plain reading, a folded one from top to bottom, one with everything a lesion changes, and blocks."""
    lesioned = replace(PRESETS["resnet56"], cut=frozenset({"layer1.2", "layer2.0"}), dropped=frozenset({"layer3.4"}))
    lit = {
        "paint": {"conv1": "#440154", "layer2.1.conv2": "#fde725"},
        "notes": {"layer2.1.conv2": "gradient 0.1", "layer3.0": "std 2"},
    }
    nets = {
        "resnet18.svg": (PRESETS["resnet18"], {}),
        "resnet164-vertical.svg": (PRESETS["resnet164"], {"vertical": True, "room": 12}),
        "resnet56-lesioned.svg": (lesioned, {"room": 12, "unfolded": frozenset({"layer2"}), "scale": ("gradient 10⁻³", ["#440154", "#fde725"], "1"), **lit}),
    }  # fmt: skip
    blocks = {
        "block-projection.svg": (PRESETS["resnet50"], "layer2.0", False),
        "block-preact-vertical.svg": (PRESETS["resnet164"], "layer2.0", True),
        "block-cut.svg": (lesioned, "layer2.0", False),
        "block-dropped.svg": (lesioned, "layer3.4", False),
        "block-plain.svg": (PRESETS["plain20"], "layer1.0", False),
    }
    drawings = {file: (spec, network_diagram(table_of(spec), **how)) for file, (spec, how) in nets.items()}
    drawings |= {file: (spec, block_diagram(table_of(spec), name, vertical=tall)) for file, (spec, name, tall) in blocks.items()}
    # one shape a line, so that a difference can be read
    return {file: to_svg(diagram, describe(spec)).replace("><", ">\n<") + "\n" for file, (spec, diagram) in drawings.items()}


@pytest.mark.parametrize("file", golden())
def test_diagrams_are_drawn_as_ever(file: str) -> None:
    """After a change that is meant, `python -m tests.test_diagram` writes them anew."""
    assert golden()[file] == (GOLDEN / file).read_text(encoding="utf-8")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for file, svg in golden().items():
        (GOLDEN / file).write_text(svg, encoding="utf-8")
