"""`updates`: how far a U-Net's layers move in a step with its long and its short skips, with one kind, and with none; and how well it marks."""

from __future__ import annotations

import argparse
from dataclasses import replace

from resviz.cli.values import BAR, Commands, at_least, json_option, plainly, show, spec_of
from resviz.guard import quoted
from resviz.spec.choices import Span
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import LabPlan
from resviz.spec.names import describe
from resviz.spec.query import to_query_string
from resviz.spec.unet import UNetSpec

__all__ = ["add"]


def _updates(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.data.datasets import named_sets
    from resviz.figures.captions import long_skips_note, middle_update
    from resviz.figures.theme import number
    from resviz.machine import fitting_threads
    from resviz.training.lab import Lab

    spec = spec_of(args.net)
    if not isinstance(spec, UNetSpec):
        raise ValueError(f"{quoted(args.net)!r} is a {spec.title}, which has no long skips; choose a U-Net such as unet_small")
    data = DATASETS[args.data]
    whole = replace(spec, residual=True, span=Span.BOTH, cut=frozenset(), dropped=frozenset())
    whole = replace(whole, in_channels=data.channels, classes=data.classes or 2, seed=args.seed)
    kinds = {
        "both": whole,
        "long alone": replace(whole, span=Span.LONG),
        "short alone": replace(whole, span=Span.SHORT),
        "none": whole.plain(),
    }
    plan = LabPlan(tuple(kinds.values()), args.data, args.lr, batch=16, seed=args.seed)
    lab = Lab(plan, lambda: named_sets(args.data), looks=args.steps)
    with fitting_threads(data.side):
        for _ in tqdm(range(args.steps), unit="step", **BAR):
            lab.advance()
            if lab.divergence is not None:
                raise ValueError(f"{lab.divergence.label} diverged in step {lab.step_number}; choose another --lr")
    record = lab.record()
    assert record is not None  # a step was taken
    found = {
        name: {"middle": middle_update(track), "iou": float(track.held_out[-1][1])}
        for name, track in zip(kinds, record.tracks, strict=True)
    }
    note = plainly(long_skips_note(record))
    lines = [f"{'skips':12} {'middle Δw/w':>12} {'IoU, %':>8}"]
    lines += [f"{name:12} {number(each['middle']):>12} {each['iou']:>8.1f}" for name, each in found.items()]
    told = f"{describe(whole)}, {args.steps} steps of 16 images, {data.title.lower()}."
    return show(
        args,
        {"spec": to_query_string(whole), "data": args.data, "steps": args.steps, "lr": args.lr, "skips": found, "says": note},
        "\n".join([*lines, f"{told} {note}"]),
    )


def _rate(text: str) -> float:
    value = float(text)
    if not 1e-6 <= value <= 10:
        raise argparse.ArgumentTypeError(f"must be from 1e-06 to 10, got {text}")
    return value


def add(commands: Commands) -> None:
    """The command's own parser."""
    updates = commands.add_parser(
        "updates", help="how far a U-Net's middle moves in a step with its long and short skips and without, and its IoU"
    )
    updates.add_argument("net", help="a preset such as unet_small, or the query string of a page's link")
    updates.add_argument("--data", choices=[name for name, data in DATASETS.items() if data.pixels], default="discs")
    updates.add_argument("--steps", type=at_least(1, 100_000), default=200, help="of SGD with momentum 0.9, 16 images each")
    updates.add_argument("--lr", type=_rate, default=0.05, help="the learning rate")
    updates.add_argument("--seed", type=at_least(0), default=0)
    updates.set_defaults(run=_updates)
    json_option(updates)
