"""`landscape`: the loss on a random plane through a network's weights, and how sharply it curves there."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_file, classifier_of, is_file
from resviz.cli.values import (
    BAR,
    FIGURES,
    Commands,
    at_least,
    json_option,
    out_file,
    path,
    plainly,
    probed_with,
    show,
    spec_of,
    write_figure,
)
from resviz.spec.families import side_of
from resviz.spec.landscape import GRIDS, PICTURES, Plane
from resviz.spec.net import Design

if TYPE_CHECKING:
    from torch import Tensor

    from resviz.nets.unit import Net

__all__ = ["add"]


def _asked(args: argparse.Namespace, count: int) -> tuple[Net, Tensor, Tensor, str]:
    """A trained network over pictures it learned from, or a preset before training over what it reads; these in words where it is one."""
    from pathlib import Path

    from resviz.data.datasets import probed
    from resviz.nets.build import build
    from resviz.nets.cost import check_memory
    from resviz.zoo.bundled import every_name
    from resviz.zoo.imagenet import weights
    from resviz.zoo.learned import pictures_of

    if args.net in every_name() or args.net in weights() or is_file(Path(args.net)):
        classifier = classifier_of(args.net, args)
        return (classifier.private_view(), *pictures_of(classifier, count), "")
    spec = spec_of(args.net)
    side = side_of(spec, 8, 32)
    check_memory(spec, side, count)
    return (build(spec), *probed(spec, count, side), probed_with(spec, count, side))


def _landscape(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.figures.captions import landscape_note, sharpness_note
    from resviz.figures.landscape import colour_range, landscape_map
    from resviz.machine import fitting_threads
    from resviz.probes.landscape import landscapes
    from resviz.probes.sharpness import sharpness

    out = out_file(args.out, FIGURES)
    if not args.rate > 0:
        raise ValueError(f"--rate must be above 0, got {args.rate:g}; give the learning rate of the training")
    net, images, targets, untrained = _asked(args, args.pictures)
    design: Design = "residual" if net.spec.residual else "plain"
    plane = Plane(args.plane, args.extent, "batch" if untrained else "trained")
    with fitting_threads(images.shape[-1]), tqdm(total=args.grid**2, unit="point", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            bar.update(round(fraction * args.grid**2) - bar.n)
            return False

        found = landscapes({design: net}, images, targets, plane, args.grid, tick=tick)
        curved = sharpness(net, images, targets, plane.statistics) if args.sharpness else None
    each = found[design]
    if out:
        write_figure(landscape_map(each, colour_range(found)), out)
    note = plainly(landscape_note(found) + (f" {sharpness_note({design: curved}, args.rate)}" if curved else ""))
    result = {
        "network": args.net,
        "trained": not untrained,
        "statistics": plane.statistics,
        "pictures": len(images),
        "plane": {"seed": plane.seed, "extent": plane.extent, "places": each.places.tolist()},
        "losses": [[value if math.isfinite(value) else None for value in row] for row in each.losses.tolist()],
        "centre": each.centre,
        "better_than_guessing": each.share,
        "curves_downwards": each.bent,
        "sharpness": curved.largest if curved else None,
        "says": note,
    }
    shown = untrained or f"{len(images)} pictures"
    rows = "\n".join(" ".join(f"{value:9.3g}" for value in row) for row in each.losses[::-1].tolist())
    return show(
        args,
        result,
        f"{rows}\n{args.net}, {shown}, batch norm's statistics: {plane.statistics}. {note}",
    )


def add(commands: Commands) -> None:
    """The command's own parser."""
    landscape = commands.add_parser("landscape", help="the loss on a random plane through a network's weights")
    landscape.add_argument(
        "net", help="a bundled network, a checkpoint file, or before training a preset or a link's query string"
    )
    landscape.add_argument("--grid", type=int, choices=GRIDS, default=17, help="points along a side")
    landscape.add_argument("--extent", type=float, default=1.0, help="how far the plane goes, 1 being as long as the weights")
    landscape.add_argument("--plane", type=at_least(0), default=0, help="the seed of its two directions")
    landscape.add_argument("--pictures", type=at_least(2, 10_000), default=PICTURES)
    landscape.add_argument("--sharpness", action="store_true", help="the largest curvature too, λ_max")
    landscape.add_argument("--rate", type=float, default=0.1, help="the learning rate that λ_max is compared with")
    landscape.add_argument("--out", type=path, help="write the map to this .png, .svg or .html file")
    landscape.set_defaults(run=_landscape)
    about_a_file(landscape)
    json_option(landscape)
