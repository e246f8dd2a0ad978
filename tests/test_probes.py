from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from resviz.data.images import noise_batch, probe_batch
from resviz.figures.captions import verdict
from resviz.judgement import judge
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.spec.net import Init, NetSpec, Norm
from resviz.spec.presets import PRESETS


def test_norms_equal_autograd_and_the_network_is_left_as_found() -> None:
    net = build(NetSpec(blocks=(1, 1))).train()
    x, y = noise_batch(8, 3, 8, 10)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    probe = gradient_probe(net, x, y)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    nn.functional.cross_entropy(net(x), y).backward()
    for name, norm in zip(probe.profile.names, probe.profile.norms, strict=True):
        assert norm == pytest.approx(net.get_submodule(name).weight.grad.norm().item(), rel=1e-5)


def test_no_hook_is_left_after_an_error() -> None:
    net = build(NetSpec(blocks=(1, 1)))
    with pytest.raises(RuntimeError):
        gradient_probe(net, torch.randn(2, 4, 8, 8), torch.zeros(2, dtype=torch.long))
    assert not any(module._forward_hooks for module in net.modules())


def test_plain_nets_explode_with_batch_norm_and_vanish_without() -> None:
    x, y = probe_batch(32, 3, 8, 10)
    plain = PRESETS["plain56"]
    bare = replace(plain, norm=Norm.NONE, init=Init.PYTORCH)
    residual = replace(PRESETS["resnet56"], norm=Norm.NONE, init=Init.PYTORCH)
    for spec, said in ((plain, "explodes"), (bare, "vanishes"), (residual, "stays level")):
        assert verdict(judge(gradient_probe(build(spec), x, y).profile, spec)).startswith(said)


def test_underflow_is_zero_and_tiny_norms_survive() -> None:
    x, y = probe_batch(16, 3, 8, 10)
    spec = replace(PRESETS["plain110"], norm=Norm.NONE, init=Init.PYTORCH)
    norms = gradient_probe(build(spec), x, y).profile.norms
    assert norms[0] == 0
    assert 0 < np.min(norms[norms > 0]) < 1e-30
