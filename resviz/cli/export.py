"""`export`: a network in a form that needs no ResViz."""

from __future__ import annotations

import argparse
import sys

from resviz.cli.values import Commands, out_file, path, spec_of
from resviz.export import WRITERS
from resviz.spec.names import describe

__all__ = ["add"]


def _export(args: argparse.Namespace) -> int:
    writer = WRITERS[args.to]
    spec, out = spec_of(args.net), out_file(args.out, writer.endings)
    if out is None and not writer.text:
        raise ValueError(f"--to {args.to} is no text to print; name a file with --out, ending in {' or '.join(writer.endings)}")
    made = writer.write(spec)
    if out is None:
        sys.stdout.write(made.decode("utf-8"))
    else:
        out.write_bytes(made)
        print(f"{describe(spec)}: {out}, {len(made):,} bytes")
    return 0


def add(commands: Commands) -> None:
    """The command's own parser."""
    export = commands.add_parser("export", help="a network in a form that needs no ResViz")
    export.add_argument("net", help="a preset such as resnet50, or the query string of a page's link")
    forms = "; ".join(f"{name}: {writer.says}" for name, writer in WRITERS.items())
    export.add_argument("--to", choices=list(WRITERS), required=True, help=forms)
    export.add_argument("--out", type=path, help="the file to write; text is printed without it")
    export.set_defaults(run=_export)
