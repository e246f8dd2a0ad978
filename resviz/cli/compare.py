"""`compare`: in which layers two networks differ, and their totals."""

from __future__ import annotations

import argparse

from resviz.cli.values import Commands, at_least, json_option, show, spec_of
from resviz.spec.families import side_of
from resviz.spec.names import name_of
from resviz.spec.query import to_query_string

__all__ = ["add"]


def _compare(args: argparse.Namespace) -> int:
    from resviz.cli.values import plainly
    from resviz.figures.captions import difference_note
    from resviz.nets.cost import layer_table
    from resviz.nets.difference import difference

    specs = [spec_of(args.first), spec_of(args.second)]
    tables = [layer_table(spec, args.size or side_of(spec, 32, 224)) for spec in specs]
    found = difference(*tables)
    said = plainly(difference_note(found, *map(name_of, specs)))
    result = {
        "first": to_query_string(specs[0]),
        "second": to_query_string(specs[1]),
        "params": [table.params for table in tables],
        "macs": [table.macs for table in tables],
        "same": found.same,
        "differ": [{"layer": each.name, "how": each.how.value} for each in found.layers],
    }
    return show(args, result, "\n".join([*(f"{each.name:28} {each.how.value}" for each in found.layers), said]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    compare = commands.add_parser("compare", help="in which layers two networks differ, and what each costs")
    for name in ("first", "second"):
        compare.add_argument(name, help="a preset such as resnet50, or the query string of a page's link")
    compare.add_argument("--size", type=at_least(1, 100_000), help="image side in pixels")
    compare.set_defaults(run=_compare)
    json_option(compare)
