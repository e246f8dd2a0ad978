"""A component from its files: HTML, style sheet, and a script with the modules that it imports, joined as Streamlit takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from resviz.figures.theme import css_variables

__all__ = ["component", "script"]

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def component(name: str, view: Path, style: str = "", before: str = "") -> Callable[..., object]:
    """The component of `view`.html, `view`.css and `view`.js; `style` and `before` stand before the last two."""
    html, css = (view.with_suffix(ending).read_text(encoding="utf-8") for ending in (".html", ".css"))
    shared = Path(__file__).with_name("common.css").read_text(encoding="utf-8")
    styles, scripts = (css_variables(), shared, style, css), (before, script(view.with_suffix(".js")))
    return st.components.v2.component(f"resviz_{name}", html=html, css="\n".join(styles), js="\n".join(scripts))


def script(path: Path) -> str:
    """A module and all that it imports, each after what it needs, as one module: their outer names must differ."""
    texts: dict[Path, str] = {}

    def add(module: Path) -> None:
        text = module.read_text(encoding="utf-8")
        for imported in _IMPORT.findall(text):
            if (needed := (module.parent / imported).resolve()) not in texts:
                add(needed)
        texts[module] = _EXPORT.sub("", _IMPORT.sub("", text))

    add(path.resolve())
    return "\n".join(texts.values())
