"""Text from outside in Streamlit's Markdown: shown as it is, whatever it looks like."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resviz.results import Prediction

__all__ = ["literal", "sentence", "with_literal_classes"]

# what opens a picture, a link, code, a formula, HTML, a table or a coloured text, and what makes a line a heading or a list
_MARKS = re.compile(r"([\\`*_\[\]<>$~|&!])|^(\s*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)
# bare addresses, :names: and arrows are found after the marks are resolved, so they are parted by a joiner that takes no room
_JOINER = "\u2060"
_PARTED = re.compile(r"((?::|@|\bwww)(?=\S)|-(?=[->])|[<>~](?=[-=]))", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+(?=[ ,:;]|$)")


def literal(text: object) -> str:
    """Text that Markdown shows character by character: no link, picture, formula, colour or icon comes of it."""
    parted = _PARTED.sub(rf"\1{_JOINER}", str(text))
    return _MARKS.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}{_JOINER}{found[3]}", parted)


def sentence(text: object) -> str:
    """What went wrong, character by character: a capital in front unless it begins with a name or a value, a full stop behind."""
    said = str(text).strip()
    if _WORD.match(said):
        said = f"{said[0].upper()}{said[1:]}"
    return literal(said if said.endswith((".", "!", "?", "…")) else f"{said}.")


def with_literal_classes(prediction: Prediction) -> Prediction:
    """The same prediction for a sentence in Markdown: a visitor's network names its classes as it likes."""
    return replace(prediction, categories=tuple(map(literal, prediction.categories)))
