"""Whatever looks at a network leaves it exactly as it was: modes, buffers, parameters, gradients and hooks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
import torch
from torch import Tensor, nn

from resviz.data.datasets import probed
from resviz.data.images import ImageSet
from resviz.nets.build import build
from resviz.nets.families.densenet import DenseNet
from resviz.nets.families.plane import PlaneNet
from resviz.nets.families.transformer import Transformer
from resviz.nets.families.unet import UNet
from resviz.nets.unit import Net
from resviz.probes import inside, lesion, taken_apart
from resviz.probes.accuracy import evaluate
from resviz.probes.attention import attention_maps
from resviz.probes.branches import branch_ratios
from resviz.probes.gradients import gradient_probe
from resviz.probes.landscape import landscape
from resviz.probes.masks import masks_of
from resviz.probes.paths import path_lengths
from resviz.probes.plane import plane_map
from resviz.probes.refine import refinement
from resviz.probes.reuse import feature_reuse
from resviz.probes.sharpness import sharpness
from resviz.probes.signal import watched_signals
from resviz.probes.similarity import similarity
from resviz.probes.trajectory import trajectory
from resviz.spec.choices import BranchScale, Carry, Init, Norm, NormPlace
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.landscape import Plane
from resviz.spec.lesion import Lesion
from resviz.spec.net import Block, NetSpec
from resviz.spec.plane import PlaneSpec
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec

Look = Callable[[Net, ImageSet], object]
SMALL: Final = NetSpec(blocks=(2, 1), width=4)
SPECS: Final[dict[str, Network]] = {
    **{f"carry {carry}": replace(SMALL, carry=carry) for carry in Carry},
    **{f"norm {norm}": replace(SMALL, norm=norm) for norm in Norm},
    **{f"block {block}": replace(SMALL, block=block) for block in Block},
    "survival": replace(SMALL, survival=50),
    "survival and dropout": replace(SMALL, survival=50, carry=Carry.DROPOUT, scale=BranchScale.LEARNED),
    "fixup": replace(SMALL, norm=Norm.NONE, init=Init.FIXUP),
    "dropped": replace(SMALL, dropped=frozenset({"layer1.1"})),
    "plain": SMALL.plain(),
    "dense": DenseSpec((2, 2), 4),
    "unet": UNetSpec((1, 1), 4),
    "points": PlaneSpec((2,), 8, norm=Norm.BATCH),
    **{f"layer norm {place}": TransformerSpec(num_layers=2, dim=16, heads=2, norm=place) for place in NormPlace},
    "symbols": TransformerSpec(image=4, patch=1, num_layers=1, dim=16, heads=2, vocabulary=9, classes=8),
}


def _inside(net: Net, pictures: ImageSet) -> None:
    one, name = pictures.images[:1], next(net.spec.block_names())
    kept = inside.forward(net, one)
    inside.look(net, kept, name)
    inside.changed(net, one, name, 0.5)
    inside.readout(net, one, name, 0.5)
    inside.returned(net, one, name)
    inside.effect(net, one, name, 0)
    taken_apart.field(net, one, kept, name, (0, 0, 0))
    taken_apart.arithmetic(net, kept, name, (0, 0, 0))


def _lesions(net: Net, pictures: ImageSet) -> None:
    first = next(net.spec.block_names())
    lesion.lesions(net, pictures, [Lesion(cut=frozenset({first}))])
    lesion.lesions(net, pictures, [Lesion(cut=frozenset({first}))], again=pictures)


def _signals(net: Net, pictures: ImageSet) -> None:
    with watched_signals(net) as measured, torch.no_grad():
        if not net.training:  # it looks on at passes that are the network's own
            net(pictures.images)
            measured()


def _trajectory(net: Net, pictures: ImageSet) -> None:
    weights = {name: weight.detach() for name, weight in net.weights().items()}
    kept = {
        step: {name: weight + step * 0.1 * torch.randn_like(weight) for name, weight in weights.items()} for step in (2, 1, 0)
    }
    trajectory(net, kept, (pictures.images, pictures.labels), 3)


def _own(net: Net, pictures: ImageSet) -> None:
    """What one family alone is asked."""
    if isinstance(net, DenseNet):
        feature_reuse(net)
    if isinstance(net, PlaneNet):
        plane_map(net, pictures)
    if isinstance(net, UNet):
        masks_of([("a", net)], pictures)
    if isinstance(net, Transformer):
        attention_maps(net, pictures.images[:1], 0)


LOOKS: Final[dict[str, Look]] = {
    "gradients": lambda net, pictures: gradient_probe(net, pictures.images, pictures.labels),
    "accuracy": evaluate,
    "branches": lambda net, pictures: branch_ratios(net, pictures.images),
    "signals": _signals,
    "inside": _inside,
    "lesions": _lesions,
    "paths": lambda net, pictures: path_lengths(net, pictures.images, pictures.labels),
    "refinement": lambda net, pictures: refinement(net, pictures.images, pictures.labels),
    "similarity": lambda net, pictures: similarity(net, pictures.images),
    "landscape": lambda net, pictures: landscape(net, pictures.images, pictures.labels, Plane(), 3),
    "sharpness": lambda net, pictures: sharpness(net, pictures.images, pictures.labels, most=2),
    "batch sharpness": lambda net, pictures: sharpness(net, pictures.images, pictures.labels, "batch", most=2),
    "trajectory": _trajectory,
    "own": _own,
}
OF_MAPS: Final = {
    "inside",
    "landscape",
    "sharpness",
    "batch sharpness",
    "trajectory",
}  # of networks for pictures alone, no tokens
IN_TRAINING: Final = {
    "gradients",
    "accuracy",
    "branches",
}  # what is asked of a network that still learns, whose layers' kinds matter
ASKED: Final = [
    (spec, look)
    for spec in SPECS
    for look in LOOKS
    if not (isinstance(SPECS[spec], TransformerSpec) and look in OF_MAPS)
    and (look in IN_TRAINING or not spec.startswith(("carry ", "norm ", "block ")))
]


def _state(net: nn.Module) -> list[object]:
    """All that there is of a network, the very tensors with their values included."""
    found: list[object] = []
    for name, module in net.named_modules():
        plain = {key: value for key, value in vars(module).items() if isinstance(value, bool | int | float | str | None)}
        hooks = {key: list(value.items()) for key, value in vars(module).items() if key.endswith("hooks")}
        tensors = {**module._parameters, **module._buffers}
        found.append((name, plain, hooks, {key: _told(each) for key, each in tensors.items() if each is not None}))
    return found


def _told(tensor: Tensor) -> tuple[object, ...]:
    return id(tensor), tensor.tolist(), tensor.requires_grad, tensor.grad, tensor._version


def _pictures(spec: Network) -> ImageSet:
    images, labels = probed(spec, 8, 8)
    channels, classes = images.shape[1], tuple(map(str, range(spec.classes)))
    return ImageSet(images, labels, classes, (0.0,) * channels, (1.0,) * channels)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("mode", ["train", "eval", "mixed"])
@pytest.mark.parametrize(("spec", "look"), ASKED)
def test_a_network_is_afterwards_what_it_was(spec: str, look: str, mode: str) -> None:
    net, pictures = build(SPECS[spec]).train(mode != "eval"), _pictures(SPECS[spec])
    if mode == "mixed":
        _, unit = next(net.units())
        unit.eval()
    before, drawn = _state(net), torch.get_rng_state()
    with contextlib.suppress(ValueError):  # as what asks for eval mode, or for units that add
        LOOKS[look](net, pictures)
    assert _state(net) == before
    if look != "trajectory":  # whose weights are drawn above
        assert torch.equal(torch.get_rng_state(), drawn)
    *_, (_, last) = net.units()
    with last.register_forward_hook(_interrupt):
        before = _state(net)
        with contextlib.suppress(KeyboardInterrupt, ValueError):
            LOOKS[look](net, pictures)
        assert _state(net) == before
