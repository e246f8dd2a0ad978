"""One backward pass through each of several networks, as jobs: a network that was measured before is not measured again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from PIL import Image

from resviz.machine import device, fitting_threads
from resviz.nets.cost import check_memory
from resviz.progress import Tick
from resviz.results import Probe
from resviz.shared import Public
from resviz.spec.families import Network, side_of, things_of
from resviz.spec.names import name_of
from resviz.spec.net import Design, SpecError
from resviz.ui import cache, waiting

__all__ = ["begin", "measured", "opening", "probes_of", "wanted"]


def opening(spec: Network) -> tuple[dict[Design, Network], str, int, int]:
    """What is measured of a network unless told otherwise: both designs, the batch's kind and size, and its side in pixels."""
    side, things = side_of(spec, 8, 64), things_of(spec)
    nets: dict[Design, Network] = {"residual": replace(spec, residual=True), "plain": spec.plain()}
    return nets, "digits" if things == "images" else things, 16 if side > 32 else 64, side


def begin(nets: Mapping[Design, Network], batch: str, size: int, side: int) -> None:
    """Measure already what `probes_of` will be asked for, while the page draws its controls."""
    with suppress(SpecError):
        waiting.begin(wanted(nets, batch, size, side, None))


def probes_of(
    nets: Mapping[Design, Network], batch: str, size: int, side: int, picture: tuple[str, Image.Image] | None = None
) -> dict[Design, Probe] | None:
    """Each network at its initial weights over the same batch; None after drawing the progress in its place.

    `picture` is a key and the image. Raises `SpecError` for a network that would not fit into memory.
    """
    found = waiting.results_of(wanted(nets, batch, size, side, picture))
    probes = [probe for probe in found if probe is not None]
    return dict(zip(nets, probes, strict=True)) if len(probes) == len(nets) else None


def measured(nets: Mapping[Design, Network], batch: str, size: int, side: int) -> dict[Design, Probe] | None:
    """What `probes_of` has measured before, where it has."""
    found = {key: waiting.manager().remembered(_key(spec, batch, size, side)) for key, spec in nets.items()}
    return None if None in found.values() else found


def _key(spec: Network, batch: str, size: int, side: int, picture: str | None = None) -> tuple[Hashable, ...]:
    key = "probe", spec, batch, size, side, picture
    return Public(key) if picture is None else key  # a picture's is the visitor's


def wanted(
    nets: Mapping[Design, Network], batch: str, size: int, side: int, picture: tuple[str, Image.Image] | None
) -> list[waiting.Wanted[Probe]]:
    """The jobs of `probes_of`; those of a picture are nobody else's. Raises `SpecError` for a network that would not fit into memory."""
    for spec in nets.values():
        check_memory(spec, side, size)

    def work(spec: Network, tick: Tick) -> Probe:
        from resviz.nets.build import build
        from resviz.probes.gradients import gradient_probe

        images, targets = cache.batch_of(spec, batch, size, side, 0, picture[1] if picture else None)
        with fitting_threads(side):
            return gradient_probe(build(spec).train().to(device()), images.to(device()), targets.to(device()), tick)

    shown = picture[0] if picture else None
    return [
        (f"probe.{key}", _key(spec, batch, size, side, shown), f"Measuring {name_of(spec)}", partial(work, spec))
        for key, spec in nets.items()
    ]
