"""One backward pass through each of several networks, as jobs: a network that was measured before is not measured again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PIL import Image

from resviz.machine import device
from resviz.nets.cost import check_memory
from resviz.results import Probe
from resviz.spec import NetSpec, name_of
from resviz.ui import cache
from resviz.ui.jobs import Tick, results_of

__all__ = ["probes_of"]


def probes_of(
    nets: Mapping[str, NetSpec], batch: str, size: int, side: int, picture: tuple[str, Image.Image] | None = None
) -> dict[str, Probe] | None:
    """Each network at its initial weights over the same batch; None after drawing the progress in its place.

    `picture` is a key and the image. Raises `SpecError` for a network that would not fit into memory.
    """
    for spec in nets.values():
        check_memory(spec, side, size)

    def work(spec: NetSpec, tick: Tick) -> Probe:
        from resviz.nets.resnet import build
        from resviz.probes.gradients import gradient_probe

        images, targets = cache.batch_of(spec, batch, size, side, 0, picture[1] if picture else None)
        return gradient_probe(build(spec).train().to(device()), images.to(device()), targets.to(device()), tick)

    wanted = [
        (
            f"probe.{key}",
            ("probe", spec, batch, size, side, picture and picture[0]),
            f"Measuring {name_of(spec)}",
            partial(work, spec),
        )
        for key, spec in nets.items()
    ]
    found = results_of(wanted)
    return None if any(probe is None for probe in found) else dict(zip(nets, found, strict=True))
