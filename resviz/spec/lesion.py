"""What is taken away from a trained network, as one frozen value that a link can hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from resviz.spec.base import Spec

__all__ = ["LESION_PARAMETERS", "MODES", "Lesion", "Mode", "lesion_from_query", "lesion_to_query", "lost"]

Mode = Literal["drop", "cut"]
MODES: Final[tuple[Mode, ...]] = ("drop", "cut")
LESION_PARAMETERS: Final = frozenset({"drop", "sever", "bypass"})
_NAME: Final = re.compile(r"[1-9]\d*\.(?:0|[1-9]\d*)(?:\.conv[1-9])?", re.ASCII)


@dataclass(frozen=True)
class Lesion:
    """Units that lost their branch, units that lost their skip, convolutions in whose place the identity stands, and swapped units.

    Swaps are pairs that change places, one after the other.
    """

    dropped: frozenset[str] = frozenset()
    cut: frozenset[str] = frozenset()
    bypassed: frozenset[str] = frozenset()
    swapped: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is touched, in the order of names."""
        return tuple(sorted({*self.dropped, *self.cut, *self.bypassed, *(name for pair in self.swapped for name in pair)}))

    def toggled(self, mode: Mode, name: str) -> Lesion:
        """The same with one unit's branch dropped or its skip cut, or one convolution bypassed; or that undone."""
        if name.count(".") > 1:
            return replace(self, bypassed=self.bypassed ^ {name})
        if mode == "drop":
            return replace(self, dropped=self.dropped ^ {name}, cut=self.cut - {name})
        return replace(self, cut=self.cut ^ {name}, dropped=self.dropped - {name})

    def within(self, spec: Spec, convs: Collection[str]) -> Lesion:
        """What of it this network has: units with skips, or, where it has none, convolutions."""
        units = frozenset(spec.block_names()) if spec.residual else frozenset[str]()
        dropped = self.dropped & units
        bypassed = self.bypassed & frozenset(convs) if not spec.residual else frozenset[str]()
        return Lesion(dropped, (self.cut & units) - dropped, bypassed)


def lesion_to_query(lesion: Lesion) -> dict[str, str]:
    """As query parameters: drop=1.0,2.3, sever=2.1, bypass=1.0.conv1; what is empty is left out. Swaps have no link."""
    fields = {"drop": lesion.dropped, "sever": lesion.cut, "bypass": lesion.bypassed}
    return {
        key: ",".join(sorted((name.removeprefix("layer") for name in names), key=_order))
        for key, names in fields.items()
        if names
    }


def _order(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in name.split(".")]


def lesion_from_query(query: Mapping[str, str]) -> Lesion:
    """Never raises: what is no name is left out."""

    def names(key: str) -> frozenset[str]:
        return frozenset(f"layer{part}" for part in query.get(key, "").split(",") if _NAME.fullmatch(part))

    return Lesion(names("drop"), names("sever"), names("bypass"))


def lost(query: Mapping[str, str], lesion: Lesion) -> dict[str, str]:
    """What of a query's names the lesion does not hold, because it is none, or of no part that can be taken there."""
    held = {key: set(text.split(",")) for key, text in lesion_to_query(lesion).items()}
    named = {
        key: ",".join(part for part in query[key].split(",") if part not in held.get(key, {""}))
        for key in ("drop", "sever", "bypass")
        if key in query
    }
    return {key: text for key, text in named.items() if text or not query[key]}
