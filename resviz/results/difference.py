"""In what two networks differ, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from resviz.results.layers import LayerRow, LayerTable

__all__ = ["Difference", "Differing", "NetworkDifference"]


class Differing(StrEnum):
    """How a layer of one name differs between two networks."""

    FIRST = "only in the first"
    SECOND = "only in the second"
    CHANGED = "changed"  # its kind, a shape or its parameters
    CUT = "cut"  # skip or branch, in one of the two


@dataclass(frozen=True)
class Difference:
    """One layer, as `first` and as `second` have it; None where there is no layer of that name."""

    name: str
    how: Differing
    first: LayerRow | None
    second: LayerRow | None

    @property
    def unit(self) -> str | None:
        """The block that it belongs to."""
        row = self.first or self.second
        return row.unit if row is not None else None


@dataclass(frozen=True)
class NetworkDifference:
    """Two layer tables, and every layer in which they differ, in forward order. `same` layers are alike."""

    first: LayerTable
    second: LayerTable
    layers: tuple[Difference, ...]
    same: int

    def of(self, *how: Differing) -> frozenset[str]:
        """The names of the layers that differ in one of these ways."""
        return frozenset(each.name for each in self.layers if each.how in how)

    @property
    def units(self) -> frozenset[str]:
        """The blocks in which anything differs."""
        return frozenset(each.unit for each in self.layers if each.unit is not None)
