"""What may stand on a block's two ways beside its convolutions: a factor, a gate, dropout, a branch that is left out."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from resviz.nets.layers import Conv2d

__all__ = ["Dropped", "Gate", "Learned", "Survivor", "Times"]


class Times(nn.Module):
    """A fixed factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Learned(nn.Module):
    """One learned factor for a whole branch (De & Smith 2020, arXiv 2002.10444)."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.alpha


class Gate(nn.Module):
    """g(x) = σ(Wx + b), a number for every place of every channel: (N, C, H, W) to the same. Where it `shares`, F is multiplied by it too."""

    def __init__(self, channels: int, shares: bool) -> None:
        super().__init__()
        self.shares = shares
        self.conv = Conv2d(channels, channels, 1)

    def start(self, bias: float) -> None:
        """Begin at σ(bias), wherever x does not weigh."""
        assert self.conv.bias is not None  # a convolution's own by default
        nn.init.constant_(self.conv.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.conv(x))


class _Drawn(nn.Module):
    """Random while training. What is drawn follows from the seed, the name and how often it was asked, which goes with the weights,
    so that a run that is taken up again is the same run."""

    asked: Tensor

    def __init__(self, seed: int, name: str) -> None:
        super().__init__()
        self.start = int.from_bytes(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=6).digest())
        self.register_buffer("asked", torch.zeros((), dtype=torch.long))

    def generator(self) -> torch.Generator:
        """The next draw's own."""
        self.asked += 1
        return torch.Generator().manual_seed(self.start + int(self.asked))


class Dropped(_Drawn):
    """Dropout: half of the numbers become zero while training, the others twice as much."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, generator=self.generator()) < 0.5
        return x * (2 * kept).to(x)


class Survivor(_Drawn):
    """Stochastic depth: a training pass leaves F out with probability 1 − p; otherwise F × p (Huang et al. 2016, arXiv 1603.09382)."""

    def __init__(self, seed: int, name: str, probability: float) -> None:
        super().__init__(seed, name)
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x * self.probability
        return x if float(torch.rand((), generator=self.generator())) < self.probability else x * 0
