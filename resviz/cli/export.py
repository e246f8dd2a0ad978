"""`export`: a network in a form that needs no ResViz."""

from __future__ import annotations

import argparse
import sys

from resviz.cli.values import Commands, out_file, path, spec_of
from resviz.export import WRITERS
from resviz.spec.families import Network
from resviz.spec.names import describe

__all__ = ["add"]


def _export(args: argparse.Namespace) -> int:
    writer = WRITERS[args.to]
    out = out_file(args.out, writer.endings)
    if out is None and not writer.text:
        raise ValueError(f"--to {args.to} is no text to print; name a file with --out, ending in {' or '.join(writer.endings)}")
    spec, made = _made(args.net, args.to)
    if out is None:
        sys.stdout.write(made.decode("utf-8"))
    else:
        out.write_bytes(made)
        print(f"{describe(spec)}: {out}, {len(made):,} bytes")
    return 0


def _made(name: str, form: str) -> tuple[Network, bytes]:
    """A bundled network with what it has learned; a preset or a link's query with the weights that it begins with."""
    from resviz.zoo.bundled import every_name, load_bundled

    writer = WRITERS[form]
    if name not in every_name():
        spec = spec_of(name)
        return spec, writer.write(spec)
    if writer.trained is None:
        forms = ", ".join(other for other, each in WRITERS.items() if each.trained is not None)
        raise ValueError(f"--to {form} holds no weights that {name} has learned; take one of {forms}, or name its design")
    network = load_bundled(name)
    return network.spec, writer.trained(network)


def add(commands: Commands) -> None:
    """The command's own parser."""
    export = commands.add_parser("export", help="a network in a form that needs no ResViz")
    export.add_argument(
        "net", help="a preset such as resnet50, a page's link or its query string, or a bundled network with what it has learned"
    )
    forms = "; ".join(f"{name}: {writer.says}" for name, writer in WRITERS.items())
    export.add_argument("--to", choices=list(WRITERS), required=True, help=forms)
    export.add_argument("--out", type=path, help="the file to write; text is printed without it")
    export.set_defaults(run=_export)
