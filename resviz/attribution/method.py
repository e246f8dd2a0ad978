"""What a method is: the words about it, its parameters, the networks it fits, and the contract of its function.

A method's function is handed a `Setting`: the score to explain, (N, C, H, W) to (N, 1), of a network that is private to the call
and in eval mode, and the picture, (1, C, H, W), normalised and channels-last. It returns `Evidence`: one number for each pixel,
(H, W), fp64, on the processor, summed over the channels; a layer's map is brought to the picture's size. Positive speaks for the
class, unless the evidence is unsigned. Hooks may stay on the network, which ends with the call; weights and input stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from resviz.attribution.baselines import baseline
from resviz.attribution.batch_size import timings_of
from resviz.attribution.methods.snippet import Snippet
from resviz.guard import nearest, quoted
from resviz.nets.families.resnet import ResNet
from resviz.spec.net import Activation, NetSpec, Norm

__all__ = [
    "BatchSize",
    "Choice",
    "Evidence",
    "Method",
    "Parameter",
    "Score",
    "Setting",
    "Value",
    "Values",
    "few",
    "flat",
    "in_batches",
    "numbers",
    "pictures",
    "total",
]

Value = str | float
Values = Mapping[str, Value]  # a method's parameters by name


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
    """A number a method takes; whole where its default is. `by_side` is the default where it depends on the picture's side."""

    title: str
    default: float
    low: float
    high: float
    help: str
    by_side: Callable[[int], float] | None = None

    def usual(self, side: int) -> Value:
        """The default for a picture of that side in pixels."""
        return self.default if self.by_side is None else self.by_side(side)

    def check(self, name: str, value: Value) -> None:
        """Raise `ValueError` for what is no number, out of range, or a fraction where a whole number is meant."""
        whole = isinstance(self.default, int)
        if not isinstance(value, int | float) or not self.low <= value <= self.high or (whole and value != int(value)):
            meant = "a whole number " if whole else ""
            raise ValueError(f"{name} must be {meant}from {self.low:g} to {self.high:g}, got {quoted(value)!r}")


@dataclass(frozen=True)
class Choice:
    """One of several words a method takes."""

    title: str
    default: str
    choices: tuple[str, ...]
    help: str

    def usual(self, side: int) -> Value:
        """The default, for pictures of every side."""
        return self.default

    def check(self, name: str, value: Value) -> None:
        """Raise `ValueError` for any other word."""
        if value not in self.choices:
            near = nearest(str(value), self.choices)
            raise ValueError(f"{name} must be one of {', '.join(self.choices)}, got {quoted(value)!r}{near}")


BatchSize = Callable[[int], int]  # how many pictures to put through the network next, of so many that are left


def few(left: int) -> int:
    """Eight at once, whatever the machine."""
    return min(left, 8)


def in_batches(count: int, size: BatchSize) -> Iterator[slice]:
    """Where each batch of `count` pictures lies; the size is asked anew for each, so that one which is slow here is left soon."""
    start = 0
    while start < count:
        stop = min(count, start + size(count - start))
        yield slice(start, stop)
        start = stop


@dataclass(frozen=True)
class Setting:
    """What a method's function is handed. `layer` is the block of a layer method, `show` hears coarse maps on the way."""

    score: Score
    x: Tensor  # (1, C, H, W)
    values: Values
    layer: str = ""
    black: Tensor | None = None  # (1, C, 1, 1)
    show: Callable[[np.ndarray], object] | None = None

    @property
    def side(self) -> int:
        """The picture's, in pixels."""
        return self.x.shape[-1]

    @property
    def module(self) -> nn.Module:
        """The block that a layer method looks at."""
        return self.score.net.get_submodule(self.layer)

    def word(self, name: str) -> str:
        """A `Choice` of the method's."""
        return str(self.values[name])

    def number(self, name: str) -> float:
        """A `Parameter` of the method's."""
        return float(self.values[name])

    def count(self, name: str) -> int:
        """A whole `Parameter` of the method's."""
        return int(self.values[name])

    def baseline(self) -> Tensor:
        """The picture without evidence that was chosen: (1, C, H, W)."""
        return baseline(self.x, self.word("baseline"), self.black)

    def baselines(self) -> Tensor:
        """The three pictures without evidence that the SHAP methods start from: (3, C, H, W)."""
        return torch.cat([baseline(self.x, kind, self.black) for kind in ("mean", "black", "blur")])

    def change(self, base: Tensor) -> float:
        """How far the score is above that of the baseline, or of several on average."""
        with torch.no_grad():
            scores = self.score(torch.cat([self.x, base]))
            return (scores[:1] - scores[1:]).mean().item()

    def batch_size(self, pictures: int, gradients: bool = True) -> int:
        """How many of these pictures to put through the network at once."""
        return timings_of(self.score.net.spec, self.side, gradients).share(max(1, pictures))


@dataclass(frozen=True)
class Evidence:
    """What a method's function returns: a map, (H, W), and its own check where it has one.

    `delta` is the map's sum less `change`, the change of the score that it should sum to.
    """

    values: np.ndarray
    signed: bool
    delta: float | None = None
    change: float | None = None

    @classmethod
    def checked(cls, attribution: Tensor, change: float) -> Evidence:
        """Of pixels, (1, C, H, W), that should sum to the score's change."""
        return cls(flat(attribution), True, total(attribution) - change, change)


@dataclass(frozen=True)
class Method:
    """A method in the field's words. `evaluations` tells how many pictures of a side a run puts through the network."""

    title: str
    family: str
    paper: str
    answers: str
    assumes: str
    run: Callable[[Setting], Evidence]
    evaluations: Callable[[int, Values], int]
    snippet: Snippet
    parameters: Mapping[str, Parameter | Choice] = field(default_factory=dict)
    layer: bool = False
    relu_only: bool = False
    norms: frozenset[Norm] = frozenset(Norm)  # of the networks it has rules for
    inside: bool = False  # asks the layers inside the blocks
    drawn: bool = False  # from the process's random numbers
    backward: bool = True  # needs gradients, which make a picture cost some three times as much
    remedy: str = "more steps help"  # where the map misses the score's change

    def unfit(self, spec: NetSpec) -> str:
        """Why it means nothing for this network, to follow the method's name in a sentence; empty where it fits."""
        if self.relu_only and spec.activation is not Activation.RELU:
            return f"needs ReLUs, and this network has {spec.activation.value}"
        if spec.norm not in self.norms:
            return f"has no rule for the {spec.norm.value} norm of this network"
        return ""

    def defaults(self, side: int) -> dict[str, Value]:
        """Every parameter's usual value for pictures of that side in pixels."""
        return {name: parameter.usual(side) for name, parameter in self.parameters.items()}

    def check_names(self, layer: str | None, values: Values) -> None:
        """Raise `ValueError` for a layer where it looks at none, and for what is no parameter of its."""
        if layer is not None and not self.layer:
            raise ValueError(f"{self.title} looks at no layer; leave out {quoted(layer)!r}")
        for name in values:
            if name not in self.parameters:
                known = f"its parameters are {', '.join(self.parameters)}" if self.parameters else "it has none"
                raise ValueError(f"{quoted(name)!r} is no parameter of {self.title}; {known}{nearest(name, self.parameters)}")

    def check_values(self, values: Values) -> None:
        """Raise `ValueError` for a value that its parameter does not take; `values` holds every one."""
        for name, parameter in self.parameters.items():
            parameter.check(name, values[name])


def pictures(count: int) -> Callable[[int, Values], int]:
    """The `evaluations` of a method that puts so many pictures through the network, whatever its values."""
    return lambda side, values: count


def flat(attribution: Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W): evidence of a pixel is the sum over its channels."""
    return numbers(attribution.sum(1)[0])


def numbers(tensor: Tensor) -> np.ndarray:
    """In fp64 and on the processor: not every accelerator has it."""
    return tensor.detach().cpu().double().numpy()


def total(attribution: Tensor) -> float:
    """The evidence of all pixels together."""
    return float(numbers(attribution).sum())
