"""Where in a network one looks: a unit, what its two ways are multiplied by, a channel and a position, as a link holds them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["FACTORS", "SPOT_PARAMETERS", "Spot", "lost", "spot_from_query", "spot_to_query"]

SPOT_PARAMETERS: Final = frozenset({"unit", "channel", "pixel", "branch", "skip"})
FACTORS: Final = (0.0, 1.5, 0.05)  # least, most and step
_NUMBER: Final = r"(?:0|[1-9]\d{0,4})"


@dataclass(frozen=True)
class Spot:
    """What is left open, None or "", the page chooses. A pixel is (row, column); F(x) and x of the unit are multiplied by the factors."""

    unit: str = ""
    channel: int | None = None
    pixel: tuple[int, int] | None = None
    branch: float = 1.0
    skip: float = 1.0

    def within(self, units: Sequence[str]) -> Spot:
        """The same in a network with these units: what names none of them is left open."""
        return self if self.unit in units else Spot()

    def inside(self, shape: Sequence[int]) -> Spot:
        """The same in a unit that returns (channels, height, width): what lies outside is left open."""
        channels, height, width = shape
        if self.channel is None or self.channel >= channels:
            return replace(self, channel=None, pixel=None)
        if self.pixel is not None and (self.pixel[0] >= height or self.pixel[1] >= width):
            return replace(self, pixel=None)
        return self


def spot_to_query(spot: Spot) -> dict[str, str]:
    """As query parameters: unit=layer2.0, channel=17, pixel=5.9, branch=0.5, skip=0; what is left open, or is 1, is left out."""
    query = {"unit": spot.unit} if spot.unit else {}
    if spot.unit:
        query |= {name: f"{factor:g}" for name, factor in (("branch", spot.branch), ("skip", spot.skip)) if factor != 1}
    if spot.channel is not None:
        query["channel"] = str(spot.channel)
        if spot.pixel is not None:
            query["pixel"] = f"{spot.pixel[0]}.{spot.pixel[1]}"
    return query


def spot_from_query(query: Mapping[str, str]) -> Spot:
    """Never raises: what is no number or no name is left open, and so is what depends on it."""
    unit = query.get("unit", "")[:100]
    spot = Spot(unit, branch=_factor(query.get("branch", "")), skip=_factor(query.get("skip", ""))) if unit else Spot()
    channel = query.get("channel", "")
    if not re.fullmatch(_NUMBER, channel, re.ASCII):
        return spot
    pixel = re.fullmatch(rf"({_NUMBER})\.({_NUMBER})", query.get("pixel", "")[:20], re.ASCII)
    return replace(spot, channel=int(channel), pixel=(int(pixel[1]), int(pixel[2])) if pixel else None)


def lost(query: Mapping[str, str], spot: Spot) -> dict[str, str]:
    """What of a query's parameters the spot does not hold, because it means nothing, or nothing there."""
    held = spot_to_query(spot)
    named = {name: query[name] for name in ("unit", "channel", "pixel") if query.get(name) and name not in held}
    for name in ("branch", "skip"):
        text = query.get(name, "")
        if text and name not in held and not (spot.unit and re.fullmatch(r"1(\.0{1,2})?", text, re.ASCII)):
            named[name] = text
    return named


def _factor(text: str) -> float:
    """A step of the sliders; 1 where it is none."""
    least, most, step = FACTORS
    if not re.fullmatch(r"[01](\.\d{1,2})?", text, re.ASCII) or not least <= float(text) <= most:
        return 1.0
    return round(step * round(float(text) / step), 2)
