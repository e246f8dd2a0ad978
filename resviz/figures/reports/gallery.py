"""The results of many pictures as files: maps, a table of predictions, and a page to look at them."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import TracebackType
from urllib.parse import quote

import numpy as np
from PIL import Image

from resviz.figures.overlay import Look, overlay_image
from resviz.results import Attribution, Prediction

__all__ = ["Gallery", "cell"]

_HEAD = ("file", "network", "class", "probability", "entropy_bits", "second", "second_probability", "problem", "notes")
_LONGEST = 150  # bytes of a file's name that are kept, of the 255 that file systems take, with room for a method's


class Gallery:
    """Give it one picture after another; `write` takes each file's path and content at once, so only the table is kept.

    As a context it writes table and page when it is left, whatever ended it.
    """

    def __init__(self, write: Callable[[str, bytes], object]) -> None:
        self.write = write
        self.rows: list[tuple[str, ...]] = []
        self._cards: list[str] = []
        self._paths: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.rows:
            self.finish()

    def add(
        self,
        name: str,
        network: str,
        window: Image.Image | None,
        prediction: Prediction | None,
        maps: Mapping[str, Attribution] | None,
        problem: str = "",
        notes: tuple[str, ...] = (),
    ) -> list[tuple[str, bytes]]:
        """Write a PNG and an NPY for each map; returns (method, PNG)."""
        pictures: list[tuple[str, bytes]] = []
        if window is None or prediction is None:
            self.rows.append((name, network, "", "", "", "", "", problem, ""))
            self._cards.append(f"<section><h2>{html.escape(name)}</h2><p>{html.escape(problem)}</p></section>")
            return pictures
        (best, p), *others = prediction.top(2)
        second, q = others[0] if others else ("", 0.0)
        self.rows.append(
            (name, network, best, f"{p:.6f}", f"{prediction.entropy:.4f}", second, f"{q:.6f}", problem, " ".join(notes))
        )
        shown = ""
        for method, found in (maps or {}).items():
            base = f"{self.path(name, network)}.{method}"
            png = _png(overlay_image(window, found, Look()))
            self.write(f"{base}.png", png)
            buffer = io.BytesIO()
            np.save(buffer, found.values)
            self.write(f"{base}.npy", buffer.getvalue())
            pictures.append((method, png))
            shown += f'<figure><img loading="lazy" src="{quote(base)}.png" alt="{html.escape(method)}"><figcaption>{html.escape(method)}</figcaption></figure>'
        title = f"{name} · {network}: {best} {100 * p:.1f} %"
        said = "".join(f"<p>{html.escape(text)}</p>" for text in (*notes, problem) if text)
        self._cards.append(f"<section><h2>{html.escape(title)}</h2>{said}{shown}</section>")
        return pictures

    def path(self, name: str, network: str) -> str:
        """Where a picture's maps go, numbered where another picture's would lie, on any system's disk."""
        if (name, network) not in self._paths:
            base = path = f"maps/{_part(network)}/{_safe(name)}"
            taken, n = {other.casefold() for other in self._paths.values()}, 1
            while path.casefold() in taken:
                path = f"{base} ({(n := n + 1)})"
            self._paths[name, network] = path
        return self._paths[name, network]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(file, problem) of every row that says why something is missing."""
        place = _HEAD.index("problem")
        return [(row[0], row[place]) for row in self.rows if row[place]]

    def table(self) -> str:
        """The predictions as CSV."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([_HEAD, *(map(cell, row) for row in self.rows)])
        return text.getvalue()

    def finish(self) -> None:
        """Write predictions.csv and index.html."""
        self.write("predictions.csv", self.table().encode(errors="replace"))
        style = "body{font:15px system-ui;margin:2rem}figure{display:inline-block;margin:0 1rem 1rem 0}img{width:224px}h2{font-size:1rem}"
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Which pixels decided?</title><style>{style}</style>'
        self.write("index.html", (page + "".join(self._cards)).encode())


def cell(text: str) -> str:
    """Text from outside as a spreadsheet's cell that is never run as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _safe(name: str) -> str:
    """A path that stays below the folder it is written to, whatever a zip calls its files."""
    parts = [part for part in PurePosixPath(name.replace(chr(92), "/")).parts if part not in ("/", "..", ".")]
    return "/".join(map(_part, parts)) or "_"


def _part(name: str) -> str:
    """One step of a path as every file system takes it."""
    plain = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]', "_", name).encode(errors="replace")[:_LONGEST].decode(errors="ignore")
    return "_" if plain.strip(". ") == "" else plain


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
