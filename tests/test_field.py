"""The effective receptive field: beside the theoretical one by hand, and as the paper has it with skips."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from resviz.cli import main
from resviz.figures.field import field_frame, reach_maps
from resviz.nets.cost import layer_table
from resviz.probes.field import check_field, draws_of, reach, reaches
from resviz.results import Reach
from resviz.spec.net import BranchScale, NetSpec, Shortcut, SpecError, Stem
from resviz.spec.presets import PRESETS

SMALL = NetSpec(width=4, blocks=(1, 1, 1))


def test_the_width_by_hand() -> None:
    """Of nine pixels four are above 4.55 % of the strongest: a square of two, of three."""
    seen = Reach(np.array([[100.0, 4.6, 4.5], [5, 99, 0], [4.54, 1, 0]]), 1, 1)
    assert (seen.seen, seen.width, seen.theoretical) == (4, 2.0, 3)
    assert seen.share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "spec",
    [
        SMALL,
        replace(SMALL, stem=Stem.IMAGENET, blocks=(1,)),
        replace(SMALL, stem=Stem.DEEP, blocks=(1,)),
        replace(SMALL, shortcut=Shortcut.D),
        replace(SMALL, shortcut=Shortcut.D, dropped=frozenset({"layer2.0"})),
        replace(SMALL, cut=frozenset({"layer2.0"})),
    ],
)
def test_every_pixel_of_the_theoretical_field_and_no_other_is_reached(spec: NetSpec) -> None:
    found = reach(spec, draws=12)
    row = layer_table(spec, 1024).row("layer3.0" if spec.blocks[1:] else "layer1.0")
    assert row is not None
    assert found.strength.shape == (row.receptive_field,) * 2
    assert (found.strength > 0).all()
    assert found.strength.sum() == pytest.approx(1)


def test_skips_make_the_field_smaller_and_depth_its_share() -> None:
    nets = {"residual": NetSpec(width=8, blocks=(3, 3)), "plain": NetSpec(width=8, blocks=(3, 3)).plain()}
    found = reaches(nets, 40)  # type: ignore[arg-type] # two literals
    assert found["residual"].width < 0.95 * found["plain"].width
    assert found["residual"].theoretical == found["plain"].theoretical
    deeper = reach(replace(nets["plain"], blocks=(9, 9)), 12)
    assert deeper.width > found["plain"].width
    assert deeper.share < found["plain"].share


def test_draws_repeat_themselves_and_none_is_lost() -> None:
    heard: list[float] = []
    once = reach(SMALL, 5, lambda fraction, note="", partial=None: heard.append(fraction) or False)
    assert heard == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert np.array_equal(once.strength, reach(SMALL, 5).strength)
    assert (reach(SMALL, 2).networks, once.networks) == (2, 4)


def test_a_branch_that_begins_at_zero_leaves_what_the_skips_carry() -> None:
    """No 3×3 but the first stands between the picture and what α = 0 leaves."""
    assert reach(replace(SMALL, scale=BranchScale.LEARNED), 4).seen <= 9


def test_what_would_take_too_long_is_refused() -> None:
    assert draws_of(PRESETS["resnet20"]) == 100
    assert 8 <= draws_of(PRESETS["resnet56"]) < 100
    with pytest.raises(SpecError, match="sees 971 pixels, more than the 640"):
        check_field(PRESETS["resnet101"])


def test_the_figure_shows_the_square_and_the_frame() -> None:
    found = reach(SMALL, 4)
    figure = reach_maps({"residual": found, "plain": found})
    sides = [shape.x1 - shape.x0 for shape in figure.layout.shapes]
    assert sides == pytest.approx([found.theoretical, found.width] * 2)
    assert figure.data[0].z.shape == found.strength.shape
    frame = field_frame({"plain": found})
    strongest = frame.loc[frame.strength.idxmax()]
    at = np.unravel_index(found.strength.argmax(), found.strength.shape)
    assert [strongest.y, strongest.x] == [int(place) - found.theoretical // 2 for place in at]


def test_the_command_prints_both_widths(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["field", "width=4&blocks=1-1", "--draws", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fields"]["plain"]["theoretical"] == said["fields"]["residual"]["theoretical"] == 13
    assert "Luo et al. 2016" in said["says"]
    assert main(["field", "resnet101"]) == 2
    assert "choose fewer blocks" in capsys.readouterr().err
