"""`trajectory`: a training's way over the loss, in the plane of its first two principal components."""

from __future__ import annotations

import argparse
import math

from resviz.cli.values import (
    BAR,
    FIGURES,
    Commands,
    at_least,
    json_option,
    out_file,
    path,
    plainly,
    resnet_of,
    show,
    write_figure,
)
from resviz.spec.net import Design
from resviz.spec.query import to_query_string

__all__ = ["add"]


def _trajectory(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.figures.captions import trajectory_claim, trajectory_note
    from resviz.figures.landscape import loss_range
    from resviz.figures.trajectory import trajectory_map
    from resviz.machine import fitting_threads
    from resviz.probes.trajectory import trajectory
    from resviz.results import Trajectory
    from resviz.training.descent import descent, learned_from

    spec, out = resnet_of(args.net), out_file(args.out, FIGURES)
    images, targets = learned_from(256)
    with fitting_threads(images.shape[-1]), tqdm(total=200, unit="%", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None, begun: int = 0) -> bool:
            bar.update(begun + round(100 * fraction) - bar.n)
            return False

        def walked(fraction: float, note: str = "", partial: object = None) -> bool:
            return tick(fraction, begun=100)

        net, kept = descent(spec, args.steps, args.every, tick)
        each = trajectory(net, kept, (images, targets), args.grid, walked)
    found: dict[Design, Trajectory] = {spec.design: each}
    if out:
        write_figure(trajectory_map(each, loss_range([each.losses])), out)
    note = plainly(f"{trajectory_note(found)} {trajectory_claim(found)}")
    result = {
        "spec": to_query_string(net.spec),
        "steps": each.steps,
        "at": each.at.tolist(),
        "variance": each.variance,
        "xs": each.xs.tolist(),
        "ys": each.ys.tolist(),
        "losses": [[value if math.isfinite(value) else None for value in row] for row in each.losses.tolist()],
        "says": note,
    }
    lines = [f"step {step:4} {x:9.3f} {y:9.3f}" for step, (x, y) in zip(each.steps, each.at.tolist(), strict=True)]
    return show(args, result, "\n".join([*lines, note]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    command = commands.add_parser(
        "trajectory", help="a training on digits as a path over the loss, in the plane in which most of it lies"
    )
    command.add_argument(
        "net", help="a preset such as resnet20 or plain20, or a link's query string; taken for grey digits of ten classes"
    )
    command.add_argument("--steps", type=at_least(3, 3000), default=276, help="of training, with batches of 64")
    command.add_argument(
        "--every", type=at_least(1, 1000), default=23, help="steps between two moments that are kept; 23 are an epoch"
    )
    command.add_argument("--grid", type=at_least(3, 65), default=13, help="points along a side")
    command.add_argument("--out", type=path, help="write the map to this .png, .svg or .html file")
    command.set_defaults(run=_trajectory)
    json_option(command)
