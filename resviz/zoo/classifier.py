"""A trained network with all it takes to ask it about a photograph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from resviz.machine import device
from resviz.nets.build import skeleton
from resviz.nets.families.resnet import ResNet
from resviz.nets.inference.folding import folded, twin
from resviz.nets.inference.fused import fuse, prepare
from resviz.results import Prediction
from resviz.spec.net import NetSpec

if TYPE_CHECKING:
    from torchvision.transforms._presets import ImageClassification

__all__ = ["Classifier", "Guess", "Preprocessing", "last_features", "predict"]


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the centre, normalise: what torchvision's `ImageClassification` does."""

    resize: int
    crop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def describe(self) -> str:
        """How a photograph is cut and scaled, in words."""
        return f"shorter side resized to {self.resize} px, centre {self.crop}×{self.crop} px, normalised by channel"

    @property
    def _mode(self) -> str:
        return "L" if len(self.mean) == 1 else "RGB"

    def _transform(self) -> ImageClassification:
        from torchvision.transforms._presets import ImageClassification

        return ImageClassification(crop_size=self.crop, resize_size=self.resize, mean=self.mean, std=self.std)

    def tensor(self, image: Image.Image) -> Tensor:
        """A picture as the network's input: (1, channels, crop, crop); grey for a network of one channel."""
        x: Tensor = self._transform()(image.convert(self._mode))[None]
        return x

    def black(self) -> Tensor:
        """A black pixel as the network's input: (1, channels, 1, 1)."""
        return -(torch.tensor(self.mean) / torch.tensor(self.std)).view(1, -1, 1, 1)

    def seen(self, image: Image.Image) -> Image.Image:
        """The pixels that reach the network, before they are normalised: crop × crop."""
        transform = self._transform()
        transform.mean, transform.std = [0.0] * len(self.mean), [1.0] * len(self.mean)
        pixels = transform(image.convert(self._mode)).expand(3, -1, -1).permute(1, 2, 0)  # (H, W, C)
        return Image.fromarray(np.rint(pixels.numpy() * 255).astype(np.uint8))

    def framed(self, image: Image.Image, side: int = 240) -> Image.Image:
        """The whole picture, small, with all that the network does not see veiled."""
        small = image.convert("RGB")
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        part = round(min(small.size) * self.crop / self.resize)
        left, top = (small.width - part) // 2, (small.height - part) // 2
        veiled = Image.blend(small, Image.new("RGB", small.size, (128, 128, 128)), 0.7)
        veiled.paste(small.crop((left, top, left + part, top + part)), (left, top))
        return veiled

    def window(self, image: Image.Image, side: int = 448) -> Image.Image:
        """The same part of the picture as `seen`, in display resolution: side × side."""
        width, height = image.size
        part = min(width, height) * self.crop / self.resize
        left, top = (width - part) / 2, (height - part) / 2
        box = (left, top, left + part, top + part)
        return image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS, box=box)


@dataclass(frozen=True)
class Guess:
    """Something that a weights file does not say: the default taken for it, in words, and why."""

    field: str  # of `Answers`
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.value} ({self.why})"


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network in eval mode, shared and read-only: work on a `private_view`.

    Of a file from outside, `guesses` are what it does not say, `notes` what was left out of it, and `copies` the networks in it.
    `temperature` is what logits are divided by before the softmax, 1 where no calibration was measured. `means`, (classes, channels),
    are where each class lies in the features that the head reads, each picture's at length 1; None where they are not known.
    """

    name: str
    net: ResNet
    preprocessing: Preprocessing
    categories: tuple[str, ...]
    source: str
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    temperature: float = 1.0
    means: NDArray[np.float32] | None = None

    @property
    def spec(self) -> NetSpec:
        """What the network is."""
        return self.net.spec

    def prediction(self, logits: Tensor, features: Tensor | None = None) -> Prediction:
        """What logits, (classes,), say: softmax(logits / temperature) (Guo et al. 2017, arXiv 1706.04599).

        `features`, (channels,), are what the head read: they tell how far from every class the picture lies.
        """
        exact = logits.cpu().double()
        probabilities = torch.softmax(exact / self.temperature, 0).numpy()
        return Prediction(self.categories, probabilities, exact.numpy(), None if features is None else self._distance(features))

    def _distance(self, features: Tensor) -> float | None:
        """From the nearest class; None where it is not known where they lie."""
        if self.means is None:
            return None
        at = nn.functional.normalize(features.cpu().double(), dim=0).numpy()
        return float(np.linalg.norm(self.means - at, axis=1).min())

    def private_view(self, spec: NetSpec | None = None) -> ResNet:
        """A network of its own modules over the shared weights, frozen: hooks, modes and cuts on it touch nobody else's.

        `spec` may differ in what is cut or dropped. Never train a view: running statistics are shared.
        """
        view = skeleton(spec or self.spec, self.net.variant)
        view.load_state_dict(dict(self.net.state_dict()), assign=True)
        return view.eval().requires_grad_(False)

    def fast_view(self, spec: NetSpec | None = None, fused: bool = False) -> ResNet:
        """A private view for many passes in eval mode: batch norms folded into the convolutions, channels-last, frozen.

        Equal to `private_view` up to rounding; its folded weights are shared between all fast views. A `fused` one is faster
        still where the network allows it, and its layers inside the blocks answer to no hook.
        """
        view = twin(self._folded)
        view.wire(spec or self.spec)
        if fused:
            fuse(view)
        return view

    @cached_property
    def _folded(self) -> ResNet:
        net = folded(self.private_view())
        prepare(net)
        return net.to(device()).requires_grad_(False)


def predict(classifier: Classifier, image: Image.Image, net: ResNet | None = None) -> Prediction:
    """The probability of every class for one picture."""
    view = classifier.private_view() if net is None else net
    with torch.inference_mode(), last_features(view) as features:
        x = classifier.preprocessing.tensor(image).to(next(view.parameters()).device)
        logits = view(x)[0]
    return classifier.prediction(logits, features[0][0])


@contextmanager
def last_features(net: nn.Module) -> Iterator[list[Tensor]]:
    """What the head, the last linear layer, is given at each pass, (N, channels); the hook is gone afterwards, error or not."""
    given: list[Tensor] = []
    *_, head = (module for module in net.modules() if isinstance(module, nn.Linear))
    handle = head.register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0].cpu()))
    try:
        yield given
    finally:
        handle.remove()
