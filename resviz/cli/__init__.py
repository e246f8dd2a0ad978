"""`resviz COMMAND`: as thin as a page; errors are one line with exit code 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from resviz.cli import (
    anatomy,
    claims,
    compare,
    explain,
    export,
    field,
    gradients,
    landscape,
    predict,
    rank,
    reuse,
    serve,
    shatter,
    similarity,
    summary,
    sweep,
    train,
    trajectory,
    transfer,
    trust,
    updates,
    zoo,
)
from resviz.guard import brief, quoted
from resviz.machine import use_device
from resviz.process import settle
from resviz.version import __version__

__all__ = ["main"]

_COMMANDS = (
    serve,
    summary,
    sweep,
    compare,
    gradients,
    shatter,
    field,
    anatomy,
    landscape,
    trajectory,
    similarity,
    claims,
    reuse,
    rank,
    updates,
    predict,
    explain,
    export,
    trust,
    zoo,
    train,
    transfer,
)


class _Parser(argparse.ArgumentParser):
    """Its refusals are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="resviz",
        description="Residual networks you can take apart. `resviz COMMAND --help` says what each takes; what is refused is one line, with exit code 2.",
    )
    parser.add_argument("--version", action="version", version=f"resviz {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


def _one_line(error: BaseException) -> str:
    """What went wrong, as one line whatever the reader or the library wrote."""
    if isinstance(error, OSError) and error.strerror:
        return f"{quoted(error.filename)}: {error.strerror}" if error.filename is not None else error.strerror
    return brief(error, 900)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what it returns is the process's exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    settle()
    try:
        args = _parser().parse_args(argv)
        args.argv = argv
        if getattr(args, "device", None) is not None:
            use_device(args.device)
        return int(args.run(args))
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        print(f"resviz: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
