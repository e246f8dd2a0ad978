"""What a network of anybody's turned out to be."""

from __future__ import annotations

from collections.abc import Sequence

from resviz.figures.captions.gradients import verdict
from resviz.figures.captions.numbers import counted, span
from resviz.results import Judgement, LayerTable

__all__ = ["shown_note"]


def shown_note(title: str, table: LayerTable, loose: int, judged: Judgement | None, loss: str, apart: Sequence[str] = ()) -> str:
    """Its size, its blocks, the joins that stand in none (`loose`), and its gradient where it has one, of the `loss` in words.

    Layers `apart` are those that the answer does without.
    """
    said = [f"**{title}** has {counted(table.params, 'parameter')}."]
    if len(table.rows) > 1:
        units = table.units
        kinds = {word: sum(unit.carries == word for unit in units) for word in (unit.carries for unit in units)}
        ways = ", ".join(f"{word} in {number}" for word, number in kinds.items())
        found = (
            f"Of its blocks {len(units)} {'has' if len(units) == 1 else 'have'} a skip: {ways}."
            if units
            else "No block with a skip was found in it."
        )
        said += [f"One input takes {table.macs:,} multiply-accumulates.", found]
    if loose:
        said.append(f"{counted(loose, 'more join')} {'stands' if loose == 1 else 'stand'} in no block that can be drawn.")
    if judged is not None:
        said.append(f"The gradient of {loss} {verdict(judged)}.")
    if apart:
        said.append(f"{counted(len(apart), 'layer')} took no part in this answer, so without a gradient: {span(apart)}.")
    return " ".join(said)
