"""What a method is: the words about it, its parameters, and the score it explains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from resviz.attribution.batch_size import pace_of
from resviz.nets.families.resnet import ResNet
from resviz.spec.net import NetSpec

__all__ = [
    "BASELINE",
    "BASELINES",
    "Choice",
    "Found",
    "Method",
    "Options",
    "Parameter",
    "Run",
    "Score",
    "base_of",
    "baseline",
    "change_of",
    "flat",
    "numbers",
    "several_bases",
    "together",
    "total",
]


class Score(nn.Module):
    """One number for each image, (N, 1): the logit of a class, or how far it is above another class's."""

    def __init__(self, net: ResNet, target: int, against: int | None = None) -> None:
        super().__init__()
        self.net, self.target, self.against = net, target, against

    def forward(self, x: Tensor) -> Tensor:
        logits = self.net(x)
        score = logits[:, self.target : self.target + 1]
        return score if self.against is None else score - logits[:, self.against : self.against + 1]


@dataclass(frozen=True)
class Parameter:
    """A number a method takes; whole where its default is."""

    title: str
    default: float
    low: float
    high: float
    help: str


@dataclass(frozen=True)
class Choice:
    """One of several words a method takes."""

    title: str
    default: str
    choices: tuple[str, ...]
    help: str


Options = Mapping[str, Any]
Run = Callable[[Score, Tensor, Options], "Found"]


@dataclass(frozen=True)
class Found:
    """What a method's function returns: the map, and its own check where it has one."""

    values: np.ndarray
    signed: bool
    delta: float | None = None
    change: float | None = None
    layer: bool = False


@dataclass(frozen=True)
class Method:
    """A method in the field's words. `evaluations` tells how many pictures a run puts through the network, for its progress and its cost."""

    title: str
    family: str
    paper: str
    answers: str
    assumes: str
    run: Run
    evaluations: Callable[[Tensor, Options], int]
    parameters: Mapping[str, Parameter | Choice] = field(default_factory=dict)
    layer: bool = False
    relu_only: bool = False
    inside: bool = False  # asks the layers inside the blocks
    drawn: bool = False  # from the process's random numbers
    backward: bool = True  # needs gradients, which make a picture cost some three times as much
    sound: Callable[[NetSpec], bool] = lambda spec: True  # whether it means something for this network
    remedy: str = "more steps help"  # where the map misses the score's change


BASELINES: Final = ("mean", "black", "blur", "noise")
BASELINE: Final = Choice(
    "Baseline", "mean", BASELINES, "The picture without evidence: the data's mean colour, black, the picture blurred, or noise."
)


def baseline(x: Tensor, kind: str, black: Tensor | None = None) -> Tensor:
    """A picture without evidence, as a normalised input: (1, C, H, W)."""
    if kind == "mean":
        return torch.zeros_like(x)
    if kind == "black":
        return torch.zeros_like(x) + (x.amin((0, 2, 3), keepdim=True) if black is None else black)
    if kind == "blur":
        from torchvision.transforms.v2 import functional as v2

        sigma = x.shape[-1] / 16
        blurred: Tensor = v2.gaussian_blur(x, [2 * round(2 * sigma) + 1] * 2, [sigma, sigma])
        return blurred.contiguous(memory_format=torch.channels_last)
    if kind == "noise":
        return (
            torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
            .to(x.device)
            .contiguous(memory_format=torch.channels_last)
        )
    raise ValueError(f"{kind!r} is no baseline; choose one of {', '.join(BASELINES)}")


def flat(attribution: Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W): evidence of a pixel is the sum over its channels."""
    return numbers(attribution.sum(1)[0])


def numbers(tensor: Tensor) -> np.ndarray:
    """In fp64 and on the processor: not every accelerator has it."""
    return tensor.detach().cpu().double().numpy()


def total(attribution: Tensor) -> float:
    """The evidence of all pixels together."""
    return float(numbers(attribution).sum())


def change_of(score: Score, x: Tensor, base: Tensor) -> float:
    """How far the score is above that of the baseline, or of several on average."""
    with torch.no_grad():
        found = score(torch.cat([x, base]))
        return (found[:1] - found[1:]).mean().item()


def together(score: Score, x: Tensor, pictures: int, gradients: bool = True) -> int:
    """How many of these pictures to put through the network at once."""
    return pace_of(score.net.spec, x.shape[-1], gradients).share(max(1, pictures))


def base_of(x: Tensor, options: Options) -> Tensor:
    """The baseline that was chosen."""
    return baseline(x, options["baseline"], options.get("black"))


def several_bases(x: Tensor, options: Options) -> Tensor:
    """The three pictures without evidence that the SHAP methods start from: (3, C, H, W)."""
    return torch.cat([baseline(x, kind, options.get("black")) for kind in ("mean", "black", "blur")])
