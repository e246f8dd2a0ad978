"""`shatter`: the gradient along a line of inputs, and how fast it forgets itself with depth."""

from __future__ import annotations

import argparse

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
from resviz.spec.net import NetSpec
from resviz.spec.query import to_query_string

__all__ = ["add"]


def _design(name: str) -> NetSpec:
    """A preset's, a link's or a bundled network's design: before training all of them begin alike."""
    from resviz.zoo.bundled import card, every_name

    return resnet_of(card(name)["spec"] if name in every_name() else name)


def _shatter(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.data.images import probe_batch
    from resviz.figures.captions import shatter_claim, shatter_note
    from resviz.figures.chart import to_plotly
    from resviz.figures.shatter import correlation_by_depth
    from resviz.machine import fitting_threads
    from resviz.probes.shatter import depths_of, shatter

    spec, out = _design(args.net), out_file(args.out, FIGURES)
    digits, _ = probe_batch(2, spec.in_channels, args.size, spec.classes)
    with fitting_threads(args.size), tqdm(total=100, unit="%", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            bar.update(round(100 * fraction) - bar.n)
            return False

        found = shatter(spec, (digits[:1], digits[1:]), depths_of(spec), args.points, args.draws, tick)
    if out:
        write_figure(to_plotly(correlation_by_depth(found)), out)
    note = plainly(f"{shatter_note(found)} {shatter_claim(found)}")
    result = {
        "spec": to_query_string(spec),
        "points": args.points,
        "draws": args.draws,
        "depths": found.depths,
        "correlations": {name: each.tolist() for name, each in found.correlations.items()},
        "says": note,
    }
    lines = [
        f"{name:15} {depth:4} layers  " + " ".join(f"{row[lag]:6.2f}" for lag in (1, 2, 4, 8, 16))
        for name, each in found.correlations.items()
        for depth, row in zip(found.depths, each, strict=True)
    ]
    return show(args, result, "\n".join(["autocorrelation 1, 2, 4, 8 and 16 places apart", *lines, note]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    shatter = commands.add_parser("shatter", help="how fast the gradient changes along a line of inputs, by depth")
    shatter.add_argument(
        "net",
        help="a preset such as resnet56, a bundled network, or a link's query string, whose design is taken at several depths",
    )
    shatter.add_argument("--size", type=at_least(8, 64), default=8, help="image side in pixels")
    shatter.add_argument("--points", type=at_least(32, 1024), default=256, help="inputs on the line between two digits")
    shatter.add_argument("--draws", type=at_least(1, 20), default=3, help="initialisations to take the mean of")
    shatter.add_argument("--out", type=path, help="write the figure to this .png, .svg or .html file")
    shatter.set_defaults(run=_shatter)
    json_option(shatter)
