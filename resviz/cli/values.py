"""What the command line reads and writes: networks by name, numbers in bounds, files to write."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypedDict

from resviz.guard import nearest, quoted
from resviz.spec.dense import DENSE_PRESETS
from resviz.spec.families import ALL_PRESETS, Network, things_of
from resviz.spec.net import NetSpec
from resviz.spec.presets import PRESETS
from resviz.spec.query import from_query, listed

if TYPE_CHECKING:
    from PIL.Image import Image

    from resviz.data.images import ImageSet

__all__ = [
    "BAR",
    "FIGURES",
    "Commands",
    "at_least",
    "device_option",
    "json_option",
    "out_file",
    "path",
    "picture",
    "plainly",
    "probed_with",
    "resnet_of",
    "say_left_out",
    "show",
    "spec_of",
    "write_figure",
]


def spec_of(text: str) -> Network:
    """A preset's name, a page's whole URL, or the query string that it holds."""
    if text in ALL_PRESETS:
        return ALL_PRESETS[text]
    if "=" not in text and text:
        line = [*PRESETS, *(name for name, spec in DENSE_PRESETS.items() if spec.residual)]  # which has an end
        raise ValueError(
            f"{quoted(text)!r} is no preset; choose one of {', '.join(line)}, or give a query such as blocks=2-2-2{nearest(text, ALL_PRESETS)}"
        )
    spec, problems = from_query(text[text.find("?") + 1 :])
    if problems:
        raise ValueError(listed(problems))
    return spec


def resnet_of(text: str) -> NetSpec:
    """As `spec_of`, for what only ResNets can be asked."""
    spec = spec_of(text)
    if not isinstance(spec, NetSpec):
        raise ValueError(f"{quoted(text)!r} is a {spec.title}, and this command knows ResNets alone; choose one such as resnet56")
    return spec


_THINGS: Final = {
    "points": "points of the spirals",
    "sequences": "sequences of symbols",
    "masks": "pictures of discs among squares",
}


def probed_with(spec: Network, count: int, side: int) -> str:
    """What such a network is shown before training, in words."""
    things = things_of(spec)
    return f"{count} digits of {side} px" if things == "images" else f"{count} {_THINGS[things]}"


def at_least(low: int, high: int = 2**31 - 1) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`; argparse names the option in its error."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,10}", text, re.ASCII) or not low <= int(text) <= high:
            span = f"of at least {low}" if high == 2**31 - 1 else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"must be a whole number {span}, got {quoted(text)!r}")
        return int(text)

    return read


def path(text: str) -> str:
    """A reader of paths: an empty one would be the folder that one stands in."""
    if not text.strip():
        raise argparse.ArgumentTypeError("names no file or folder; was a variable empty?")
    return text


FIGURES = (".png", ".svg", ".html")


def out_file(text: str | None, endings: Sequence[str]) -> Path | None:
    """The file to write, checked before anything is computed for it."""
    if text is None:
        return None
    path = Path(text)
    if path.suffix.lower() not in endings:
        known = " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
        raise ValueError(f"{quoted(text)!r} has no known ending; use {known}")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {quoted(path.parent)!r} to write into; make it first")
    return path


def write_figure(figure: object, path: Path) -> None:
    """A plotly figure as .html, or as .png or .svg where a Chrome is installed."""
    import plotly.graph_objects as go

    drawn = go.Figure(figure)
    if path.suffix.lower() == ".html":
        drawn.write_html(path)
        return
    drawn.update_layout(paper_bgcolor="white", plot_bgcolor="white")
    logging.getLogger("choreographer").setLevel(logging.CRITICAL)  # it would speak before we do
    try:
        image = drawn.to_image(path.suffix.lower().removeprefix("."), width=1100, scale=2)
    except Exception as error:  # the browser's driver has a dozen of its own, and their texts are tuples and whole paragraphs
        raise ValueError(
            f"{quoted(path)} cannot be drawn: Plotly finds no Chrome or Chromium that runs here; install one, or write .html"
        ) from error
    path.write_bytes(image)


def plainly(note: str) -> str:
    """A caption without its Markdown."""
    return note.replace("**", "").replace("`", "")


class _Bar(TypedDict):
    leave: bool
    disable: None


BAR: _Bar = {"leave": False, "disable": None}  # only where someone watches, and gone before what is said next


def show(args: argparse.Namespace, result: Mapping[str, object], text: str) -> int:
    """Print the result as JSON where that is asked for, else as text; the exit code 0."""
    print(json.dumps(result, ensure_ascii=False) if args.json else text)
    return 0


def picture(name: str) -> Image:
    """A picture from disk or from a pipe; what was done to read it is said on stderr."""
    from resviz.data.uploads import MAX_BYTES, ImageError, decode

    with open(name, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{quoted(name)} has more than {MAX_BYTES >> 20} MB; save it smaller")
    try:
        decoded = decode(data)
    except ImageError as error:
        raise ValueError(f"{quoted(name)}: {error}") from error
    for note in decoded.notes:
        print(f"{quoted(name)}: {note}", file=sys.stderr)
    return decoded.image


def say_left_out(data: str, **sets: ImageSet) -> None:
    """What lay beside the images and could not be read, on stderr."""
    for part, images in sets.items():
        for line in images.left_out:
            print(f"left out of {quoted(data)}, {part}: {quoted(line, 300)}", file=sys.stderr)


def device_option(command: argparse.ArgumentParser) -> None:
    """Every command that trains, probes or explains says where."""
    command.add_argument("--device", help="cpu, cuda or mps; unless given the fastest here whose answers are the processor's")


def json_option(command: argparse.ArgumentParser) -> None:
    """Every command that reports something reports it as JSON too."""
    command.add_argument("--json", action="store_true", help="print the result as JSON")


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
