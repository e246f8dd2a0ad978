"""`gradients`: the weight-gradient norm of every layer after one backward pass."""

from __future__ import annotations

import argparse
import math

from resviz.cli.values import (
    FIGURES,
    Commands,
    at_least,
    device_option,
    json_option,
    out_file,
    path,
    plainly,
    probed_with,
    show,
    spec_of,
    write_figure,
)
from resviz.spec.dense import DenseSpec
from resviz.spec.families import side_of
from resviz.spec.names import describe
from resviz.spec.net import Init, Norm
from resviz.spec.query import to_query_string

__all__ = ["add"]


def _gradients(args: argparse.Namespace) -> int:
    from resviz.data.datasets import probed
    from resviz.figures.axes import log_range
    from resviz.figures.captions import gradient_note
    from resviz.figures.chart import to_plotly
    from resviz.figures.gradients import gradient_profiles
    from resviz.machine import device
    from resviz.nets.build import build
    from resviz.nets.cost import check_memory
    from resviz.probes.gradients import gradient_probe

    spec, out = spec_of(args.net), out_file(args.out, FIGURES)
    spec = spec.plain() if args.plain else spec
    changes: dict[str, Norm | Init] = {"norm": Norm(args.norm)} if args.norm else {}
    changes |= {"init": Init(args.init)} if args.init else {}
    spec = spec.resized(**changes)
    side = args.size or side_of(spec, 8, 64)
    batch = args.batch or (16 if side > 32 else 64)  # as the page takes them
    check_memory(spec, side, batch)
    images, targets = probed(spec, batch, side)
    probe = gradient_probe(build(spec).train().to(device()), images.to(device()), targets.to(device()))
    profile, note = probe.profile, plainly(gradient_note(spec, probe))
    if out:
        write_figure(
            to_plotly(gradient_profiles({spec.design: profile}, log_range(profile.norms), dense=isinstance(spec, DenseSpec))), out
        )
    # JSON has no infinity: overflow is null
    norms = [float(n) if math.isfinite(n) else None for n in profile.norms]
    result = {"spec": to_query_string(spec), "loss": profile.loss, "names": profile.names, "norms": norms, "says": note}
    lines = [f"{name:24} {norm:.4g}" for name, norm in zip(profile.names, profile.norms, strict=True)]
    return show(args, result, "\n".join([*lines, f"{describe(spec)}, {probed_with(spec, len(targets), side)}. {note}"]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    gradients = commands.add_parser("gradients", help="the weight-gradient norm of every layer after one backward pass")
    gradients.add_argument("net", help="a preset such as resnet56, or the query string of a page's link")
    gradients.add_argument("--plain", action="store_true", help="without any skip")
    gradients.add_argument("--norm", choices=[n.value for n in Norm])
    gradients.add_argument("--init", choices=[i.value for i in Init])
    gradients.add_argument("--size", type=at_least(1, 100_000), help="image side in pixels")
    gradients.add_argument(
        "--batch",
        type=at_least(1),
        help="images in the batch of handwritten digits, or of discs for a U-Net, or points; 64, or 16 with an ImageNet stem",
    )
    gradients.add_argument("--out", type=path, help="write the figure to this .png, .svg or .html file")
    gradients.set_defaults(run=_gradients)
    device_option(gradients)
    json_option(gradients)
