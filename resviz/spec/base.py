"""What a network of any family says of itself: what cuts, links, the lab and the tables ask of every spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["Spec"]


class Spec(Protocol):
    """A frozen dataclass; the family's own fields come beside these."""

    @property
    def residual(self) -> bool:
        """False where no unit has a skip."""

    @property
    def cut(self) -> frozenset[str]:
        """Units that pass F(x) alone."""

    @property
    def dropped(self) -> frozenset[str]:
        """Units that pass their skip alone."""

    @property
    def title(self) -> str:
        """Family and depth: ResNet-56."""

    @property
    def shape(self) -> str:
        """What else tells its shape where it is none of the papers': 2-2-2, width 16; empty where nothing does."""

    @property
    def described(self) -> tuple[str, ...]:
        """The fields that a description words, in its order."""

    @property
    def classifier(self) -> str:
        """The name of the last layer."""

    @property
    def classes(self) -> int: ...

    @property
    def in_channels(self) -> int: ...

    @property
    def seed(self) -> int:
        """What the initial weights are drawn from."""

    @property
    def depth(self) -> int:
        """Weighted layers from the input to the classifier, as the family's paper counts them."""

    def block_names(self) -> Iterator[str]:
        """Every unit's name in forward order."""

    def has_skip(self, block: str) -> bool: ...

    def __hash__(self) -> int: ...
