"""How does the gradient profile change with depth?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from resviz.judgement import judge
from resviz.nets.build import build
from resviz.nets.cost import check_memory
from resviz.probes.gradients import gradient_probe
from resviz.results import DepthSweep, GradientProfile
from resviz.spec.net import Design, NetSpec
from resviz.spec.presets import cifar_blocks

__all__ = ["depth_sweep", "resampled"]

_POSITIONS = np.linspace(0, 1, 41)


def resampled(specs: Sequence[NetSpec], profiles: Sequence[GradientProfile]) -> DepthSweep:
    """Profiles of different lengths on one axis: at each relative position, the nearest layer's norm as measured."""
    rows = [p.norms[np.rint(_POSITIONS * (len(p.norms) - 1)).astype(int)] for p in profiles]
    judged = tuple(judge(profile, spec) for spec, profile in zip(specs, profiles, strict=True))
    return DepthSweep(tuple(spec.depth for spec in specs), _POSITIONS, np.stack(rows), judged)


def depth_sweep(
    spec: NetSpec,
    depths: Sequence[int],
    batch: tuple[Tensor, Tensor],
    tick: Callable[[float, str], object] = lambda fraction, note: None,
) -> dict[Design, DepthSweep]:
    """The spec's design at each CIFAR depth, "residual" with every skip and "plain" with none, over one batch.

    `tick` hears the fraction done before every network; what it raises ends the sweep. Raises `SpecError` where a network would not
    fit into memory.
    """
    whole = replace(spec, residual=True, cut=frozenset(), dropped=frozenset())
    costs = np.cumsum([0, *(depth for _ in range(2) for depth in depths)])
    designs: dict[Design, NetSpec] = {"residual": whole, "plain": spec.plain()}
    sweeps: dict[Design, DepthSweep] = {}
    for n, (key, design) in enumerate(designs.items()):
        sized = [replace(design, blocks=cifar_blocks(depth, spec.block)) for depth in depths]
        profiles = []
        for i, each in enumerate(sized):
            tick(costs[n * len(depths) + i] / costs[-1], f"{key}, {each.depth} layers")
            check_memory(each, batch[0].shape[-1], len(batch[0]))
            profiles.append(gradient_probe(build(each).train(), *batch).profile)
        sweeps[key] = resampled(sized, profiles)
    return sweeps
