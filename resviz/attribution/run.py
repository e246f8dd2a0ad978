"""Run one method on one picture: privately, with progress, and cancellable at every forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from PIL import Image

from resviz.attribution.methods import METHODS
from resviz.results import Attribution
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
) -> Attribution:
    """The evidence for class `target`: a map of the network's input size.

    `tick` hears the fraction done before every forward pass; what it raises ends the run. Works on a private view, so
    the shared network keeps its hooks, modes and gradients whatever happens.
    """
    if method not in METHODS:
        raise ValueError(f"{method!r} is no method; choose one of {', '.join(METHODS)}")
    if not 0 <= target < len(classifier.categories):
        raise ValueError(f"class {target} does not exist; choose 0 to {len(classifier.categories) - 1}")
    x = classifier.preprocessing.tensor(image).contiguous(memory_format=torch.channels_last)
    merged = default_options(method, x.shape[-1]) | {"layer": default_layer(classifier)} | dict(options or {})
    if merged["layer"] not in set(classifier.spec.block_names()):
        raise ValueError(f"{merged['layer']!r} is no block of {classifier.name}; try {default_layer(classifier)}")
    net = classifier.private_view()
    expected, seen = METHODS[method].evaluations(x, merged), 0

    def count(*_: object) -> None:
        nonlocal seen
        tick(min(1.0, seen / expected))
        seen += 1

    net.register_forward_pre_hook(count)  # on the view, which ends with this call
    return METHODS[method].run(net, x, target, merged)
