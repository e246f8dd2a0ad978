"""Pictures that differ from one picture only in a part: the first layers are computed there alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from resviz.spec.net import Stem

__all__ = ["Local"]

_STRIDE = 4  # of stem and max pool together
_WORTH = 0.5  # of the picture's area: a larger part is no faster


class Local:
    """The stem and first stage, (N, C, H, W) to (N, C', H/4, W/4), as `early` would have them, for pictures that resemble `base`.

    An output's receptive field reaches `reach` pixels to each side, so a change of some pixels changes outputs at most that far
    away, and these need inputs at most as far again. `wide` is how many outputs the first stage alone reaches. Only for the stems of photographs, without gradients.
    """

    def __init__(self, stem: Stem, wide: int, early: Callable[[Tensor], Tensor], base: Tensor) -> None:
        self.early, self.base = early, base
        # 7×7 of stride 2, or 3×3 of stride 2 and two at stride 2; 3×3 pool of stride 2; then at stride 4
        self.reach = (7 if stem is Stem.DEEP else 5) + 4 * wide
        self.usable = stem.photographs and base.shape[-1] == base.shape[-2] and base.shape[-1] % _STRIDE == 0
        self.known: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        side = x.shape[-1]
        if not self.usable or torch.is_grad_enabled() or x.shape[1:] != self.base.shape[1:]:
            return self.early(x)
        changed = (x != self.base).any(1)  # (N, H, W)
        spans = [_span(changed.any(axis)) for axis in (2, 1)]  # rows, columns: first and last of each picture
        widest = max(int((last - first).max()) + 1 for first, last in spans)
        part = -(-(widest + 4 * self.reach + 5) // _STRIDE) * _STRIDE  # 5: what rounding to the stride takes
        if part * part > _WORTH * side * side:
            return self.early(x)
        starts = [((first - 2 * self.reach).clamp(0, side - part) // _STRIDE * _STRIDE).tolist() for first, _ in spans]
        parts = torch.stack([picture[:, r : r + part, c : c + part] for picture, r, c in zip(x, *starts, strict=True)])
        found = self.early(parts.contiguous(memory_format=torch.channels_last))
        if self.known is None:
            self.known = self.early(self.base)
        whole = self.known.repeat(len(x), 1, 1, 1).contiguous(memory_format=torch.channels_last)
        for n, (r, c) in enumerate(zip(*starts, strict=True)):
            (r0, r1), (c0, c1) = self._exact(r, part, side), self._exact(c, part, side)
            r, c = r // _STRIDE, c // _STRIDE
            whole[n, :, r + r0 : r + r1, c + c0 : c + c1] = found[n, :, r0:r1, c0:c1]
        return whole

    def _exact(self, start: int, part: int, side: int) -> tuple[int, int]:
        """The outputs of a part that saw no edge but the picture's own."""
        before, after = -(-self.reach // _STRIDE), -(-(self.reach + 1) // _STRIDE) - 1
        return (0 if start == 0 else before), part // _STRIDE - (0 if start + part == side else after)


def _span(changed: Tensor) -> tuple[Tensor, Tensor]:
    """First and last True of each row, (N, n) to (N,), (N,); a row without one has an empty span at its start."""
    n = changed.shape[1]
    first = torch.where(changed.any(1), changed.int().argmax(1), 0)
    last = torch.where(changed.any(1), n - 1 - changed.flip(1).int().argmax(1), -1)
    return first, last
