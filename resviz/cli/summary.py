"""`summary`: every layer of a network, and its totals."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from resviz.cli.values import Commands, at_least, json_option, out_file, path, show, spec_of
from resviz.spec.families import side_of
from resviz.spec.names import describe
from resviz.spec.query import to_query_string

if TYPE_CHECKING:
    pass

__all__ = ["add"]


def _summary(args: argparse.Namespace) -> int:
    from resviz.figures.diagram import network_diagram, to_svg
    from resviz.nets.cost import layer_table

    spec, out = spec_of(args.net), out_file(args.out, (".svg", ".html"))
    table = layer_table(spec, args.size or side_of(spec, 32, 224))
    if out:
        svg = to_svg(network_diagram(table), describe(spec))
        page = svg if out.suffix.lower() == ".svg" else f"<!doctype html><meta charset=utf-8>{svg}"
        out.write_text(page, encoding="utf-8")
    total = f"{describe(spec)}: {table.params:,} parameters, {table.macs:,} MACs"
    result = {
        "spec": to_query_string(spec),
        "params": table.params,
        "macs": table.macs,
        "layers": [r.costs() for r in table.rows],
    }
    return show(args, result, f"{table}\n{total}")


def add(commands: Commands) -> None:
    """The command's own parser."""
    summary = commands.add_parser("summary", help="every layer of a network, and its totals")
    summary.add_argument("net", help="a preset such as resnet50, or the query string of a page's link")
    summary.add_argument("--size", type=at_least(1, 100_000), help="image side in pixels")
    summary.add_argument("--out", type=path, help="write the block diagram to this .svg or .html file")
    summary.set_defaults(run=_summary)
    json_option(summary)
