"""Run one method on one picture: privately, with progress, and cancellable at every forward pass."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from resviz.allocator import keep_freed
from resviz.attribution.batch_size import pace_of
from resviz.attribution.method import Choice, Found, Parameter, Score
from resviz.attribution.methods.table import METHODS, at_layer, available
from resviz.guard import nearest, quoted
from resviz.machine import device
from resviz.nets.families.resnet import ResNet
from resviz.results import Attribution
from resviz.spec.net import Activation, NetSpec
from resviz.zoo.classifier import Classifier

__all__ = ["Question", "Tick", "Watch", "ask", "attribute", "cost", "default_layer", "default_options", "watched"]

Tick = Callable[..., object]


def default_layer(classifier: Classifier) -> str:
    """The last block: where Grad-CAM is usually read."""
    return list(classifier.spec.block_names())[-1]


def default_options(method: str, side: int) -> dict[str, Any]:
    """The method's defaults; an occlusion window is a seventh of the image, at least 4 px."""
    options: dict[str, Any] = {name: parameter.default for name, parameter in METHODS[method].parameters.items()}
    if method == "occlusion":
        options["window"] = max(4, side // 7)
    return options


@dataclass(frozen=True)
class Question:
    """One method asked about one picture, checked: what `attribute` answers and `metrics` measures."""

    classifier: Classifier
    x: Tensor  # (1, C, H, W), channels-last
    method: str
    target: int
    against: int | None
    options: Mapping[str, Any]

    @property
    def expected(self) -> int:
        """Pictures that one answer puts through the network."""
        return METHODS[self.method].evaluations(self.x, self.options)

    def view(self, spec: NetSpec | None = None) -> ResNet:
        """A private network to ask, the fastest that this method can work with."""
        asked = METHODS.get(self.options.get("of", ""), METHODS[self.method])
        return self.classifier.fast_view(spec, fused=not (asked.inside or METHODS[self.method].inside))

    def score(self, net: ResNet) -> Score:
        return Score(net, self.target, self.against)

    def answer(self, net: ResNet, tick: Tick, x: Tensor | None = None, **more: object) -> Found:
        """The method's own answer on this network, for the picture or for another input of its shape."""
        with warnings.catch_warnings(), _drawing(METHODS[self.method].drawn, tick):
            warnings.filterwarnings("ignore", category=UserWarning, module="captum")
            return METHODS[self.method].run(self.score(net), self.x if x is None else x, {**self.options, **more})

    def attribution(self, values: np.ndarray, signed: bool, **check: float | None) -> Attribution:
        layer = self.options["layer"] if METHODS[self.method].layer else None
        return Attribution(self.method, self.target, values, signed, layer, **check)


def ask(
    classifier: Classifier,
    image: Image.Image,
    method: str,
    target: int,
    options: Mapping[str, Any] | None = None,
    against: int | None = None,
) -> Question:
    """Check what is asked and fill in the defaults; raises `ValueError` naming the value and the remedy.

    `method` may name its layer too: "grad-cam@layer3.1".
    """
    method, layer = at_layer(method)
    if method not in METHODS:
        raise ValueError(f"{quoted(method)!r} is no method; choose one of {', '.join(METHODS)}{nearest(method, METHODS)}")
    if method not in available(classifier.spec):
        raise ValueError(f"{METHODS[method].title} {_misfit(method, classifier.spec)}; choose another")
    for asked in (target, against):
        if asked is not None and not 0 <= asked < len(classifier.categories):
            raise ValueError(f"class {asked} does not exist; choose 0 to {len(classifier.categories) - 1}")
    of = METHODS.get(str((options or {}).get("of")))
    if of is not None and of.relu_only and classifier.spec.activation is not Activation.RELU:
        raise ValueError(f"{of.title} needs ReLUs and {classifier.name} has {classifier.spec.activation.value}; choose another")
    _check_names(method, layer, options or {})
    x = classifier.preprocessing.tensor(image).to(device()).contiguous(memory_format=torch.channels_last)
    merged = default_options(method, x.shape[-1]) | {"layer": default_layer(classifier)} | dict(options or {})
    merged["layer"] = layer or merged["layer"]
    _check(method, merged)
    if merged["layer"] not in set(classifier.spec.block_names()):
        given = str(merged["layer"])
        raise ValueError(
            f"{quoted(given)!r} is no block of {classifier.name}; try {default_layer(classifier)}{nearest(given, classifier.spec.block_names())}"
        )
    merged["black"] = classifier.preprocessing.black().to(x.device)
    return Question(classifier, x, method, target, against, merged)


def _misfit(method: str, spec: NetSpec) -> str:
    """Why a method means nothing for a network."""
    if METHODS[method].relu_only and spec.activation is not Activation.RELU:
        return f"needs ReLUs, and this network has {spec.activation.value}"
    return f"has no rule for the {spec.norm.value} norm of this network"


def attribute(
    classifier: Classifier,
    image: Image.Image,
    method: str,
    target: int,
    options: Mapping[str, Any] | None = None,
    tick: Tick = lambda fraction, note="", partial=None: None,
    against: int | None = None,
    spec: NetSpec | None = None,
) -> Attribution:
    """The evidence for class `target` (with `against`: for it rather than for that other class): a map of the input's size.

    `tick` hears the fraction done before every forward pass, and the coarse maps that Integrated Gradients has on its way;
    what it raises ends the run. `spec` may differ from the classifier's in what is cut or dropped. Works on a private view,
    so the shared network keeps its hooks, modes and gradients whatever happens.
    """
    question = ask(classifier, image, method, target, options, against)
    net = question.view(spec)
    watch = watched(net, question.expected, tick)

    def show(values: np.ndarray) -> None:
        tick(watch.fraction, "", question.attribution(values, signed=True))

    found = question.answer(net, tick, show=show)
    return question.attribution(found.values, found.signed, delta=found.delta, target_change=found.change)


def cost(classifier: Classifier, method: str, options: Mapping[str, Any]) -> tuple[int, float | None]:
    """Pictures that one answer puts through the network, and the seconds they take at the pace measured here; None before any was."""
    entry, side = METHODS[method], classifier.preprocessing.crop
    pictures = entry.evaluations(torch.empty(1, len(classifier.preprocessing.mean), side, side), options)
    each = pace_of(classifier.spec, side, entry.backward).seconds
    return pictures, None if each is None else pictures * each


def watched(net: ResNet, expected: int, tick: Tick) -> Watch:
    """Report progress before every forward pass of a view, which ends with whoever made it."""
    keep_freed()
    watch = Watch(net.spec, expected)

    def count(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        tick(watch.fraction)
        watch(inputs[0])

    net.register_forward_pre_hook(count)
    return watch


class Watch:
    """Counts pictures, and tells the pace how long each batch of them took."""

    def __init__(self, spec: NetSpec, expected: int) -> None:
        self.spec, self.expected, self.seen = spec, expected, 0
        self.last: tuple[int, float, bool] | None = None

    @property
    def fraction(self) -> float:
        return min(1.0, self.seen / self.expected)

    def __call__(self, x: Tensor) -> None:
        now, gradients = time.perf_counter(), torch.is_grad_enabled()
        if self.last is not None and self.last[2] is gradients:
            pace_of(self.spec, x.shape[-1], gradients).heard(self.last[0], now - self.last[1])
        self.last, self.seen = (len(x), now, gradients), self.seen + len(x)


_RANDOM = threading.Lock()


@contextlib.contextmanager
def _drawing(drawn: bool, tick: Tick) -> Iterator[None]:
    """One draws at a time and from the same seed: Captum takes the process's random numbers."""
    if not drawn:
        yield
        return
    while not _RANDOM.acquire(timeout=0.1):
        tick(0.0)
    try:
        torch.manual_seed(0)
        np.random.seed(0)
        yield
    finally:
        _RANDOM.release()


def _check_names(method: str, layer: str | None, options: Mapping[str, Any]) -> None:
    """Raises `ValueError` for a parameter that the method does not have, and for a layer where it is asked at none."""
    entry, title = METHODS[method], METHODS[method].title
    if not entry.layer and (layer is not None or "layer" in options):
        raise ValueError(f"{title} looks at no layer; leave out {quoted(layer or options['layer'])!r}")
    for name in options:
        if name not in entry.parameters and name != "layer":
            known = f"its parameters are {', '.join(entry.parameters)}" if entry.parameters else "it has none"
            raise ValueError(f"{quoted(name)!r} is no parameter of {title}; {known}{nearest(name, entry.parameters)}")


def _check(method: str, options: Mapping[str, Any]) -> None:
    for name, parameter in METHODS[method].parameters.items():
        value = options[name]
        if isinstance(parameter, Choice):
            if value not in parameter.choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(parameter.choices)}, got {quoted(value)!r}{nearest(str(value), parameter.choices)}"
                )
        elif not _fits(parameter, value):
            whole = "a whole number " if isinstance(parameter.default, int) else ""
            raise ValueError(f"{name} must be {whole}from {parameter.low:g} to {parameter.high:g}, got {quoted(value)!r}")


def _fits(parameter: Parameter, value: Any) -> bool:
    """Whether it is a number in the parameter's range, and whole where the parameter is."""
    return (
        isinstance(value, int | float)
        and parameter.low <= value <= parameter.high
        and not (isinstance(parameter.default, int) and value != int(value))
    )
