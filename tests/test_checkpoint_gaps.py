"""A key that names a far block does not make a network of hundreds."""

from __future__ import annotations

import time

import pytest
import torch
from safetensors.torch import save

from resviz.nets.build import build
from resviz.spec.net import NetSpec
from resviz.zoo.checkpoint import CheckpointError, load


@pytest.mark.parametrize("key", ["layer1.511.conv1.weight", "layer1.3.bn1.weight", "layer2.2.x"])
def test_a_gap_between_blocks_is_named_before_anything_is_built(key: str) -> None:
    state = build(NetSpec(blocks=(1, 1), width=8, classes=3)).state_dict()
    data = save({**state, key: torch.zeros(8, 8, 3, 3)})
    began = time.process_time()
    with pytest.raises(CheckpointError, match=r"layer\d\.1 is missing, though it has layer\d\.\d+; save the whole"):
        load(data, "net.safetensors")
    assert time.process_time() - began < 0.5
