"""Layer-wise relevance propagation (Bach et al. 2015), made sound for residual networks.

Captum's rules know modules, and the addition of a skip is none: both summands would get the whole relevance, and every block
would double it. Here the addition is a convolution of its own, one weight of 1 for each summand, so that a rule shares the
relevance out in proportion; and each layer reads a copy of its input, because a block's input feeds two of them.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, PropagationRule
from torch import Tensor, nn

from resviz.attribution.method import Evidence, Score, Setting
from resviz.nets.families.resnet import ResNet
from resviz.nets.inference.folding import twin

__all__ = ["RULES", "layerwise_relevance", "relevance_view"]

RULES: Final = ("composite", "alpha1-beta0", "epsilon")
_STABLE = 1e-6


class _FlatRule(PropagationRule):
    """Every input of a unit gets the same share: what the first layer's weights prefer says little about the picture."""

    STABILITY_FACTOR = _STABLE

    def _manipulate_weights(self, module: Any, inputs: object, outputs: object) -> None:
        module.activations = {device: tuple(torch.ones_like(a) for a in kept) for device, kept in module.activations.items()}
        module.weight.data = torch.ones_like(module.weight)
        if module.bias is not None:
            module.bias.data = torch.zeros_like(module.bias)


def _rule(kind: str, conv: bool, first: bool) -> PropagationRule:
    """No gamma rule: a branch's last convolution has no ReLU behind it, and there gamma's denominator passes through zero."""
    if conv and first and kind == "composite":
        return _FlatRule()
    if not conv or first or kind == "epsilon":  # the first one's inputs have both signs, the other rules want activations
        return EpsilonRule(_STABLE)
    return Alpha1_Beta0_Rule(set_bias_to_zero=True)


class _Plus(nn.Module):
    """F(x) + x as a layer: channel by channel one weight of 1 for each summand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.both = nn.Conv2d(2 * channels, channels, 1, groups=channels, bias=False, device="meta")
        self.both.weight = nn.Parameter(torch.ones(channels, 2, 1, 1), requires_grad=False)

    def forward(self, branch: Tensor, skip: Tensor) -> Tensor:
        return self.both(torch.stack((branch, skip), 2).flatten(1, 2))  # (N, 2C, H, W) to (N, C, H, W)


class _Lrp(LRP):
    def _restore_state(self) -> None:
        """Nothing to restore: the view ends with the call, and its tensors are everybody's."""


def _copied(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(x.clone() for x in given)


def relevance_view(score: Score, kind: str) -> nn.Module:
    """The score as a network of its own, (N, C, H, W) to (N, 1), with one of `RULES` on every layer; its tensors are shared."""
    net: ResNet = twin(score.net)
    for module in net.modules():  # a rule changes weights, so each is a parameter of the view's own
        for name, weight in module._parameters.items():
            module._parameters[name] = None if weight is None else nn.Parameter(weight.detach(), requires_grad=False)
    for _, unit in net.units():
        if unit.skip and unit.branch and unit.joins == "add":
            unit.join = _Plus(unit.channels)
    net.fc = _difference(net.fc, score.target, score.against)
    for module in net.modules():
        if next(module.children(), None) is not None:
            continue
        module.register_forward_pre_hook(_copied)
        if not isinstance(module, nn.ReLU):
            conv = isinstance(module, nn.Conv2d) and module.groups < module.out_channels
            module.rule = _rule(kind, conv, module is net.first[0])
    return net


def _difference(fc: nn.Linear, target: int, against: int | None) -> nn.Linear:
    """The classifier's one output that is the score."""
    last = nn.Linear(fc.in_features, 1, device="meta")
    for name, value in (("weight", fc.weight), ("bias", fc.bias)):
        row = value[target : target + 1] - (0 if against is None else value[against : against + 1])
        setattr(last, name, nn.Parameter(row, requires_grad=False))
    return last


def layerwise_relevance(setting: Setting) -> Evidence:
    """What the biases take is missing from the map's sum."""
    net = relevance_view(setting.score, setting.word("rule"))
    attribution = _Lrp(net).attribute(setting.x, target=0)
    with torch.no_grad():
        change = setting.score(setting.x).item()
    return Evidence.checked(attribution, change)
