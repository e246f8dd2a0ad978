"""Why is one number inside a network what it is? Captum's neuron methods at one place of one channel of a block's output."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from captum.attr import NeuronDeconvolution, NeuronGradient, NeuronGuidedBackprop, NeuronIntegratedGradients
from PIL import Image
from torch import Tensor, nn

from resviz.attribution.batch_size import timings_of
from resviz.attribution.method import flat, total
from resviz.attribution.methods.table import METHODS
from resviz.attribution.watch import watched
from resviz.machine import device
from resviz.nets.families.resnet import ResNet
from resviz.progress import Tick, quiet
from resviz.results import Attribution
from resviz.zoo.classifier import Classifier

__all__ = ["NEURON_METHODS", "STEPS", "neuron", "neuron_methods"]

STEPS: Final = 20  # points on Integrated Gradients' path
_Run = Callable[[ResNet, nn.Module, Tensor, tuple[int, int, int]], Tensor]


def _integrated(net: ResNet, module: nn.Module, x: Tensor, at: tuple[int, int, int]) -> Tensor:
    size = timings_of(net.spec, x.shape[-1], True).share(STEPS)
    made = NeuronIntegratedGradients(net, module)
    return made.attribute(x, at, baselines=torch.zeros_like(x), n_steps=STEPS, internal_batch_size=size)


@dataclass(frozen=True)
class _NeuronMethod:
    """`of` is the method of the same rules for a class, which says what networks it fits; a `complete` one sums to the number's change."""

    of: str
    run: _Run
    evaluations: int
    complete: bool = False


NEURON_METHODS: Final[Mapping[str, _NeuronMethod]] = {
    "integrated-gradients": _NeuronMethod("integrated-gradients", _integrated, STEPS + 2, complete=True),
    "input-x-gradient": _NeuronMethod(
        "input-x-gradient", lambda net, module, x, at: x * NeuronGradient(net, module).attribute(x, at), 1
    ),
    "guided-backprop": _NeuronMethod(
        "guided-backprop", lambda net, module, x, at: NeuronGuidedBackprop(net, module).attribute(x, at), 1
    ),
    "deconvolution": _NeuronMethod(
        "deconvolution", lambda net, module, x, at: NeuronDeconvolution(net, module).attribute(x, at), 1
    ),
}


def neuron_methods(network: Classifier) -> tuple[str, ...]:
    """Those of `NEURON_METHODS` that mean something for this network."""
    return tuple(name for name, each in NEURON_METHODS.items() if not METHODS[each.of].unfit(network.spec))


def neuron(
    network: Classifier, photograph: Image.Image, unit: str, at: tuple[int, int, int], method: str, tick: Tick = quiet
) -> Attribution:
    """The pixels' evidence for the number at `at`, channel, row and column, of what the block `unit` returns: (height, width).

    Positive made it larger. `target_change` is how far it is above its value for the mean-coloured picture, and `target` is the channel.
    Works on a private view; raises `ValueError` for a method that does not fit.
    """
    if method not in neuron_methods(network):
        raise ValueError(f"{method!r} cannot be asked of {network.name}; choose one of {', '.join(neuron_methods(network))}")
    how = NEURON_METHODS[method]
    net = network.fast_view(fused=not METHODS[how.of].inside)
    x = network.preprocessing.tensor(photograph).to(device()).contiguous(memory_format=torch.channels_last)
    module, seen = net.get_submodule(unit), []
    with torch.no_grad():
        handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output[(slice(None), *at)]))
        net(torch.cat([torch.zeros_like(x), x]).contiguous(memory_format=torch.channels_last))
        handle.remove()
    before, after = seen[0].tolist()
    watched(net, how.evaluations, tick)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="captum")
        found = how.run(net, module, x, at)
    delta = total(found) - (after - before) if how.complete else None
    return Attribution(method, at[0], flat(found), signed=True, layer=unit, delta=delta, target_change=after - before)
