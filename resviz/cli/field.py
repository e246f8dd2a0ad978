"""`field`: how much of its theoretical receptive field the middle of the last feature map sees."""

from __future__ import annotations

import argparse
from dataclasses import replace

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
from resviz.spec.net import Design, NetSpec
from resviz.spec.query import to_query_string

__all__ = ["add"]


def _field(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.figures.captions import reach_claim, reach_note
    from resviz.figures.field import reach_maps
    from resviz.probes.field import reaches

    spec, out = resnet_of(args.net), out_file(args.out, FIGURES)
    nets: dict[Design, NetSpec] = {"residual": replace(spec, residual=True), "plain": spec.plain()}
    with tqdm(total=100, unit="%", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            bar.update(round(100 * fraction) - bar.n)
            return False

        found = reaches(nets, args.draws, tick)
    if out:
        write_figure(reach_maps(found), out)
    note = plainly(f"{reach_note(found)} {reach_claim(found)}")
    measured = {
        key: {"theoretical": each.theoretical, "seen": each.seen, "width": each.width, "share": each.share, "draws": each.draws}
        for key, each in found.items()
    }
    result = {"spec": to_query_string(spec), "fields": measured, "says": note}
    lines = [f"{key:9} {each.width:6.1f} of {each.theoretical} pixels, {each.share:.3f}" for key, each in found.items()]
    return show(args, result, "\n".join([*lines, note]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    field = commands.add_parser(
        "field", help="how much of the picture the middle of the last feature map sees, with and without skips"
    )
    field.add_argument("net", help="a preset such as resnet20, or the query string of a page's link")
    field.add_argument("--draws", type=at_least(1, 1000), help="random inputs; as many as a minute or so is enough for")
    field.add_argument("--out", type=path, help="write the figure to this .png, .svg or .html file")
    field.set_defaults(run=_field)
    json_option(field)
