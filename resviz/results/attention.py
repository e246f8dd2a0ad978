"""What a Transformer's tokens have in common, and what they read of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["AttentionMaps", "Collapse"]


@dataclass(frozen=True)
class Collapse:
    """How much of the tokens is not the same in all: ‖res(X)‖ / ‖X‖ with res(X) = X minus its mean token, in the Frobenius norm.

    `residuals` holds for each variant (layers + 1,), the first of what enters; each is the median of `images` pictures, or whatever `read` calls one.
    """

    residuals: Mapping[str, NDArray[np.float64]]
    images: int
    read: str = "digit"

    @property
    def layers(self) -> int:
        """Behind which it was measured."""
        return len(next(iter(self.residuals.values()))) - 1


@dataclass(frozen=True)
class AttentionMaps:
    """What each token's value weighs for every other, (layers, heads, T, T), rows adding up to 1; token 0 is the class token.

    `picture` is (side, side), and the other tokens are its patches, row by row, or the symbols whose numbers it holds where it is one of
    `symbols`. `answer` is what the network says of it after so many `steps`; with `label` it is a class's name.
    """

    weights: NDArray[np.float32]
    picture: NDArray[np.float32]
    label: str
    answer: str
    steps: int
    symbols: bool = False

    @property
    def side(self) -> int:
        """Patches in a row of the picture."""
        return round((self.weights.shape[-1] - 1) ** 0.5)
