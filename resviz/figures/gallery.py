"""The results of many pictures as files: maps, a table of predictions, and a page to look at them."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

import numpy as np
from PIL import Image

from resviz.figures.attribution import Look, overlay_image
from resviz.results import Attribution, Prediction

__all__ = ["Gallery"]

_HEAD = ("file", "network", "class", "probability", "entropy_bits", "second", "second_probability", "problem")


class Gallery:
    """Give it one picture after another; `write` takes each file's path and content at once, so only the table is kept."""

    def __init__(self, write: Callable[[str, bytes], object]) -> None:
        self.write = write
        self.rows: list[tuple[object, ...]] = []
        self._cards: list[str] = []

    def add(
        self,
        name: str,
        network: str,
        window: Image.Image | None,
        prediction: Prediction | None,
        maps: Mapping[str, Attribution] | None,
        problem: str = "",
    ) -> list[tuple[str, bytes]]:
        """Write a PNG and an NPY for each map; returns (method, PNG)."""
        pictures: list[tuple[str, bytes]] = []
        if window is None or prediction is None:
            self.rows.append((name, network, "", "", "", "", "", problem))
            self._cards.append(f"<section><h2>{html.escape(name)}</h2><p>{html.escape(problem)}</p></section>")
            return pictures
        (best, p), *others = prediction.top(2)
        second, q = others[0] if others else ("", 0.0)
        self.rows.append((name, network, best, f"{p:.6f}", f"{prediction.entropy:.4f}", second, f"{q:.6f}", problem))
        shown = ""
        for method, found in (maps or {}).items():
            base = f"maps/{network}/{_safe(name)}.{method}"
            png = _png(overlay_image(window, found, Look()))
            self.write(f"{base}.png", png)
            buffer = io.BytesIO()
            np.save(buffer, found.values)
            self.write(f"{base}.npy", buffer.getvalue())
            pictures.append((method, png))
            shown += f'<figure><img loading="lazy" src="{quote(base)}.png" alt="{html.escape(method)}"><figcaption>{html.escape(method)}</figcaption></figure>'
        title = f"{name} · {network}: {best} {100 * p:.1f} %"
        self._cards.append(f"<section><h2>{html.escape(title)}</h2>{shown}</section>")
        return pictures

    def table(self) -> str:
        """The predictions as CSV."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([_HEAD, *self.rows])
        return text.getvalue()

    def finish(self) -> None:
        """Write predictions.csv and index.html."""
        self.write("predictions.csv", self.table().encode())
        style = "body{font:15px system-ui;margin:2rem}figure{display:inline-block;margin:0 1rem 1rem 0}img{width:224px}h2{font-size:1rem}"
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Which pixels decided?</title><style>{style}</style>'
        self.write("index.html", (page + "".join(self._cards)).encode())


def _safe(name: str) -> str:
    """A path that stays below the folder it is written to, whatever a zip calls its files."""
    parts = [part for part in PurePosixPath(name.replace(chr(92), "/")).parts if part not in ("/", "..", ".")]
    return "/".join(part.replace(":", "_") for part in parts)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
