"""`serve`: the app, from wherever one stands."""

from __future__ import annotations

import argparse
import errno
import runpy
import socket
import sys
from importlib.util import find_spec

from resviz.cli.values import Commands, at_least
from resviz.guard import quoted
from resviz.machine import check_variables
from resviz.place import root

__all__ = ["add"]


def _serve(args: argparse.Namespace) -> int:
    if find_spec("streamlit") is None:
        raise ValueError("the pages need Streamlit, which is not installed; pip install 'resviz[app]'")
    if args.options and not args.options[0].startswith("-"):
        raise ValueError(f"{quoted(args.options[0])!r} is no option; a port is named by --port, a host by --host")
    check_variables()
    _check_free(args.host, args.port)
    # the options that the app relies on lie beside server.py, where Streamlit looks for them after the visitor's own
    options = {"port": args.port, "address": args.host, "headless": str(not args.open).lower()}
    given = [word for name, value in options.items() for word in (f"--server.{name}", str(value))]
    sys.argv = ["streamlit", "run", str(root() / "server.py"), *given, *args.options]
    runpy.run_module("streamlit", run_name="__main__")  # in this very process, so that whoever ends it ends the server
    return 0


def _check_free(host: str, port: int) -> None:
    """Raises `ValueError` where nobody can listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise ValueError(f"--host {quoted(host)!r} is no address of this machine; try localhost, or 0.0.0.0 for all") from error
    with socket.socket(family, kind) as trial:
        if sys.platform != "win32":  # as the server does: a port that was just left is free; on Windows it would be shared
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise ValueError(
                    f"--host {quoted(host)!r} is no address of this machine; try localhost, or 0.0.0.0 for all"
                ) from error
            raise ValueError(f"nobody can listen on port {port} ({error.strerror}); try --port {port % 65535 + 1}") from error


def add(commands: Commands) -> None:
    """The command's own parser."""
    serve = commands.add_parser("serve", help="the pages, in a browser")
    serve.add_argument("--port", type=at_least(1, 65535), default=8501)
    serve.add_argument("--host", default="localhost", help="address to listen on; 0.0.0.0 lets other machines in")
    serve.add_argument("--open", action="store_true", help="open a browser as well")
    serve.add_argument("options", nargs="*", help="more of Streamlit's, after a --: -- --server.baseUrlPath resviz")
    serve.set_defaults(run=_serve)
