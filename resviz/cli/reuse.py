"""`reuse`: which earlier features each layer of a DenseNet reads, after a few steps on handwritten digits."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace

from resviz.cli.values import BAR, FIGURES, Commands, at_least, json_option, out_file, path, plainly, show, spec_of, write_figure
from resviz.guard import quoted
from resviz.spec.dense import DenseSpec
from resviz.spec.lab import LabPlan
from resviz.spec.names import describe
from resviz.spec.query import to_query_string

__all__ = ["add"]


def _reuse(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.data.datasets import named_sets
    from resviz.figures.captions import reuse_note
    from resviz.figures.reuse import reuse_maps
    from resviz.machine import fitting_threads
    from resviz.nets.families.densenet import DenseNet
    from resviz.probes.reuse import feature_reuse
    from resviz.training.lab import Lab

    spec, out = spec_of(args.net), out_file(args.out, FIGURES)
    if not isinstance(spec, DenseSpec):
        raise ValueError(
            f"{quoted(args.net)!r} is a {spec.title}, whose layers read one source; choose a DenseNet such as densenet40_k12"
        )
    spec = replace(spec, in_channels=1, classes=10, seed=args.seed)
    lab = Lab(LabPlan((spec,), lr=0.1, seed=args.seed), lambda: named_sets("digits"), recording=False, looks=args.steps)
    with fitting_threads(8):
        for _ in tqdm(range(args.steps), unit="step", **BAR):
            lab.advance()
            if lab.divergence is not None:
                raise ValueError(f"the training of {describe(spec)} diverged; choose another --seed")
    net, _ = lab.network(0)
    assert isinstance(net, DenseNet)  # as its spec is
    found = feature_reuse(net)
    if out:
        write_figure(reuse_maps(found), out)
    note = plainly(reuse_note(found, describe(spec), args.steps))
    maps = [
        {
            "block": each.block,
            "sources": each.sources,
            "readers": each.readers,
            "values": [[None if math.isnan(value) else value for value in row] for row in each.values.tolist()],
        }
        for each in found
    ]
    result = {"spec": to_query_string(spec), "steps": args.steps, "blocks": maps, "says": note}
    return show(args, result, note)


def add(commands: Commands) -> None:
    """The command's own parser."""
    reuse = commands.add_parser(
        "reuse", help="which earlier features each layer of a DenseNet reads, after a few steps on digits"
    )
    reuse.add_argument("net", help="a preset such as densenet40_k12, or the query string of a page's link")
    reuse.add_argument("--steps", type=at_least(1, 100_000), default=150, help="of SGD on handwritten digits, 64 images each")
    reuse.add_argument("--seed", type=at_least(0), default=0)
    reuse.add_argument("--out", type=path, help="write the maps to this .png, .svg or .html file")
    reuse.set_defaults(run=_reuse)
    json_option(reuse)
