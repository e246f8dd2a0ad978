from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from resviz.data.images import noise_batch, probe_batch
from resviz.figures.captions import gradient_note, verdict
from resviz.judgement import judge
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.showing.show import show
from resviz.spec.net import Init, NetSpec, Norm
from resviz.spec.presets import PRESETS

SMALL = NetSpec(blocks=(1, 1))


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


def test_a_frozen_layer_gets_no_gradient_and_the_others_theirs() -> None:
    x, y = noise_batch(8, 3, 8, 10)
    whole = build(SMALL).train()
    free = gradient_probe(whole, x, y)
    for frozen in ("conv1", "layer1", "fc", "layer2.0.conv2"):
        net = build(SMALL).train()
        net.get_submodule(frozen).requires_grad_(False)
        probe = gradient_probe(net, x, y)
        still = [name.startswith(frozen) for name in probe.profile.names]
        assert any(still)
        np.testing.assert_array_equal(probe.profile.norms == 0, still)
        np.testing.assert_allclose(probe.profile.norms[~np.array(still)], free.profile.norms[~np.array(still)], rtol=1e-6)
        np.testing.assert_allclose(probe.signal.gradient_norms, free.signal.gradient_norms, rtol=1e-6)
        assert probe.profile.loss == free.profile.loss


def test_what_learns_beside_frozen_weights_lets_the_gradient_through() -> None:
    x, y = noise_batch(8, 3, 8, 10)
    free, net = gradient_probe(build(SMALL).train(), x, y), build(SMALL).train()
    for weight in net.weights().values():
        weight.requires_grad_(False)
    probe = gradient_probe(net, x, y)
    assert not probe.profile.norms.any()
    np.testing.assert_allclose(probe.signal.gradient_norms, free.signal.gradient_norms, rtol=1e-6)
    none = gradient_probe(net.requires_grad_(False), x, y)
    assert not none.profile.norms.any()
    assert not none.signal.gradient_norms.any()
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert gradient_note(SMALL, none)
    assert "gradient" in show(net, x, y).notes[1]


@pytest.mark.parametrize(
    ("images", "targets", "says"),
    [
        (torch.zeros(0, 3, 8, 8), torch.zeros(0, dtype=torch.long), "images must be a tensor (N, C, H, W), got one of shape (0, 3, 8, 8); give one image or more"),
        (np.zeros((2, 3, 8, 8)), torch.tensor([0, 1]), "images must be a tensor (N, C, H, W), got a ndarray; give one image or more"),
        (torch.zeros(2, 3, 8, 8), [0, 1], "targets must be a tensor of class indices, got a list; write torch.tensor(targets)"),
        (torch.zeros(2, 3, 8, 8), torch.tensor([0, 10]), "targets hold class 10, which does not exist; choose 0 to 9"),
        (torch.zeros(2, 3, 8, 8), torch.tensor([-100, 3]), "targets hold class -100, which does not exist; choose 0 to 9"),
        (torch.zeros(2, 3, 8, 8), torch.tensor([0]), "targets must be class indices of shape (2,), got (1,) of int64; give a whole number for each answer"),
        (torch.zeros(2, 3, 8, 8), torch.zeros(2), "targets must be class indices of shape (2,), got (2,) of float32; give a whole number for each answer"),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused_with_the_remedy(images: torch.Tensor, targets: torch.Tensor, says: str) -> None:
    net = build(SMALL).train()
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        gradient_probe(net, images, targets)
    assert not any(module._forward_hooks for module in net.modules())


def test_targets_of_every_whole_type_are_the_same() -> None:
    net, (x, y) = build(SMALL), noise_batch(8, 3, 8, 10)
    for kind in (torch.uint8, torch.int32):
        assert gradient_probe(net, x, y.to(kind)).profile.loss == gradient_probe(net, x, y).profile.loss


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
