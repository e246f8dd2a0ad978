"""`rank`: whether a Transformer's tokens stay different with depth, with skips and without."""

from __future__ import annotations

import argparse

from resviz.cli.values import BAR, FIGURES, Commands, at_least, json_option, out_file, path, plainly, show, spec_of, write_figure
from resviz.guard import quoted
from resviz.spec.names import describe
from resviz.spec.query import to_query_string
from resviz.spec.transformer import TransformerSpec

__all__ = ["add"]


def _rank(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.figures.attention import collapse_lines
    from resviz.figures.captions import collapse_claim, collapse_note
    from resviz.figures.chart import to_plotly
    from resviz.figures.theme import number
    from resviz.probes.rank import rank_collapse

    spec, out = spec_of(args.net), out_file(args.out, FIGURES)
    if not isinstance(spec, TransformerSpec):
        raise ValueError(f"{quoted(args.net)!r} is a {spec.title}, which has no tokens; choose a Transformer such as vit_digits")
    with tqdm(total=100, unit="%", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            bar.update(round(100 * fraction) - bar.n)
            return False

        found = rank_collapse(spec, args.layers, tick)
    if out:
        write_figure(to_plotly(collapse_lines(found)), out)
    note = plainly(f"{collapse_note(found, describe(spec.resized(num_layers=args.layers)))} {collapse_claim(found)}")
    residuals = {name: values.tolist() for name, values in found.residuals.items()}
    result = {"spec": to_query_string(spec), "layers": found.layers, "images": found.images, "residuals": residuals, "says": note}
    lines = [f"{name:20} {number(values[-1])}" for name, values in residuals.items()]
    return show(args, result, "\n".join([*lines, note]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    rank = commands.add_parser("rank", help="whether a Transformer's tokens stay different with depth, with skips and without")
    rank.add_argument("net", help="a preset such as vit_digits, or the query string of a page's link")
    rank.add_argument("--layers", type=at_least(1, 96), default=24, help="how deep the design is made")
    rank.add_argument("--out", type=path, help="write the figure to this .png, .svg or .html file")
    rank.set_defaults(run=_rank)
    json_option(rank)
