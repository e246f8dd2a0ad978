"""Counts and shares as words, and what the captions make of them."""

from __future__ import annotations

import pytest

from resviz.figures.captions import bottleneck_note, counted, pace, percent, table_note
from resviz.nets.cost import layer_table
from resviz.spec.net import Block, NetSpec
from resviz.spec.presets import PRESETS


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"), (1, "100 %"), (0.37, "37 %"), (0.104, "10 %"), (0.0123, "1.2 %"), (0.0023, "0.23 %"), (0.00011, "0.01 %"),
        (1e-9, "under 0.01 %"), (0.9973, "99.7 %"), (0.99973, "99.97 %"), (0.999999, "over 99.99 %"), (1.64, "164 %"), (-0.12, "−12 %"),
    ],
)  # fmt: skip
def test_a_share_is_nothing_or_all_only_where_it_is(share: float, text: str) -> None:
    assert percent(share) == text


def test_one_is_not_many() -> None:
    assert (counted(1, "picture"), counted(2, "picture"), counted(1200, "step")) == ("1 picture", "2 pictures", "1,200 steps")
    assert [pace(seconds) for seconds in (0.05, 0.9, 2.34)] == ["20 steps a second", "1 step a second", "2.3 s a step"]


@pytest.mark.parametrize("spec", [PRESETS["resnet1202"], PRESETS["resnet18"], NetSpec(blocks=(1,))])
def test_the_heaviest_layer_never_holds_nothing(spec: NetSpec) -> None:
    table = layer_table(spec, 32)
    note = table_note(table)
    share = max(row.params for row in table.rows) / table.params
    assert f"holds {percent(share)}" in note
    assert "holds 0 %" not in note


def test_a_bottleneck_may_cost_more() -> None:
    wide = NetSpec(block=Block.BOTTLENECK, blocks=(1,), width=8, width_per_group=512)
    assert "costs" in bottleneck_note(layer_table(wide, 32), "layer1.0")
    assert "saves" in bottleneck_note(layer_table(PRESETS["resnet50"], 224), "layer1.1")
