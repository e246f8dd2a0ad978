"""Noisy linear imputation (Rong et al. 2022, arXiv 2202.00449): what is gone becomes the weighted mean of what surrounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

__all__ = ["impute"]

_NEAR, _DIAGONAL = 1 / 6, 1 / 12  # the paper's weights of the four direct and the four diagonal neighbours
_NEIGHBOURS: Final = tuple(
    (down, right, _NEAR if 0 in (down, right) else _DIAGONAL)
    for down in (-1, 0, 1)
    for right in (-1, 0, 1)
    if (down, right) != (0, 0)
)
_OUTSIDE, _KNOWN = -2, -1


def impute(
    picture: np.ndarray, gone: np.ndarray, draw: np.random.Generator | np.random.RandomState, noise: float = 0.01
) -> np.ndarray:
    """A picture, (C, H, W), with every pixel of `gone`, (H, W), in balance with its eight neighbours, plus a little noise.

    Many pixels may be gone side by side, so it is one sparse system of equations, the same for every channel.
    """
    from scipy.sparse.linalg import splu

    filled = picture.copy()
    if not gone.any():
        return filled
    if gone.all():
        raise ValueError("every pixel is gone, so nothing is left to impute from; keep at least one")
    left, right = _equations(picture, gone)
    # symmetric, which the general order of elimination would not use: twice as fast
    solved = splu(left, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}).solve(right)
    filled[:, gone] = solved.T + noise * draw.standard_normal((len(picture), int(gone.sum())))
    return filled


def _equations(picture: np.ndarray, gone: np.ndarray) -> tuple[csc_matrix, np.ndarray]:
    """For each pixel that is gone: its weight times its value less what its unknown neighbours give is what the known ones give."""
    from scipy.sparse import csc_matrix

    height, width = gone.shape
    count = int(gone.sum())
    number = np.full((height + 2, width + 2), _OUTSIDE)
    inner = np.full(gone.shape, _KNOWN)
    inner[gone] = np.arange(count)
    number[1:-1, 1:-1] = inner
    framed = np.pad(picture, ((0, 0), (1, 1), (1, 1)))
    rows, columns, weights = [np.arange(count)], [np.arange(count)], [np.zeros(count)]
    right = np.zeros((count, len(picture)))
    for down, across, weight in _NEIGHBOURS:
        window = slice(1 + down, 1 + down + height), slice(1 + across, 1 + across + width)
        neighbour = number[window][gone]
        weights[0] += weight * (neighbour != _OUTSIDE)
        unknown, known = neighbour >= 0, neighbour == _KNOWN
        rows.append(np.flatnonzero(unknown))
        columns.append(neighbour[unknown])
        weights.append(np.full(int(unknown.sum()), -weight))
        right[known] += weight * framed[:, *window][:, gone].T[known]
    entries = np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))
    return csc_matrix(entries, shape=(count, count)), right
