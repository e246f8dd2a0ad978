"""Run one method on one picture: privately, with progress, and cancellable at every forward pass."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from PIL import Image

from resviz.attribution.methods import METHODS, Choice, Score, available
from resviz.results import Attribution
from resviz.spec import NetSpec
from resviz.zoo.classifier import Classifier

__all__ = ["attribute", "default_layer", "default_options"]


def default_layer(classifier: Classifier) -> str:
    """The last block: where Grad-CAM is usually read."""
    return list(classifier.spec.block_names())[-1]


def default_options(method: str, side: int) -> dict[str, Any]:
    """The method's defaults; an occlusion window is a seventh of the image, at least 4 px."""
    options: dict[str, Any] = {name: parameter.default for name, parameter in METHODS[method].parameters.items()}
    if method == "occlusion":
        options["window"] = max(4, side // 7)
    return options


def attribute(
    classifier: Classifier,
    image: Image.Image,
    method: str,
    target: int,
    options: Mapping[str, Any] | None = None,
    tick: Callable[[float], object] = lambda fraction: None,
    against: int | None = None,
    spec: NetSpec | None = None,
) -> Attribution:
    """The evidence for class `target` (with `against`: for it rather than for that other class): a map of the input's size.

    `tick` hears the fraction done before every forward pass; what it raises ends the run. `spec` may differ from the
    classifier's in what is cut or dropped. Works on a private view, so the shared network keeps its hooks, modes and
    gradients whatever happens.
    """
    if method not in METHODS:
        raise ValueError(f"{method!r} is no method; choose one of {', '.join(METHODS)}")
    if method not in available(classifier.spec):
        raise ValueError(
            f"{METHODS[method].title} needs ReLUs and {classifier.name} has {classifier.spec.activation.value}; choose another"
        )
    for asked in (target, against):
        if asked is not None and not 0 <= asked < len(classifier.categories):
            raise ValueError(f"class {asked} does not exist; choose 0 to {len(classifier.categories) - 1}")
    x = classifier.preprocessing.tensor(image).contiguous(memory_format=torch.channels_last)
    merged = default_options(method, x.shape[-1]) | {"layer": default_layer(classifier)} | dict(options or {})
    _check(method, merged)
    if merged["layer"] not in set(classifier.spec.block_names()):
        raise ValueError(f"{merged['layer']!r} is no block of {classifier.name}; try {default_layer(classifier)}")
    merged["black"] = classifier.preprocessing.black()
    net = classifier.fast_view(spec)
    expected, seen = METHODS[method].evaluations(x, merged), 0

    def count(*_: object) -> None:
        nonlocal seen
        tick(min(1.0, seen / expected))
        seen += 1

    net.register_forward_pre_hook(count)  # on the view, which ends with this call
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(Input Tensor|Setting (forward|backward))", category=UserWarning)
        found = METHODS[method].run(Score(net, target, against), x, merged)
    layer = merged["layer"] if METHODS[method].layer else None
    return Attribution(method, target, found.values, found.signed, layer, found.delta, found.change)


def _check(method: str, options: Mapping[str, Any]) -> None:
    for name, parameter in METHODS[method].parameters.items():
        value = options[name]
        if isinstance(parameter, Choice):
            if value not in parameter.choices:
                raise ValueError(f"{name} must be one of {', '.join(parameter.choices)}, got {value!r}")
        elif not parameter.low <= value <= parameter.high:
            raise ValueError(f"{name} must be from {parameter.low:g} to {parameter.high:g}, got {value!r}")
