"""The images that the lab can learn from, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DATASETS", "POINTS", "Dataset", "Things", "symbol"]

Things = Literal["images", "points", "sequences", "masks"]
POINTS: Final = 500  # of the plane, learned from and held out


@dataclass(frozen=True)
class Dataset:
    """Square images: their side in pixels, their channels and classes (None: as many as the visitor's folders), and who made them.

    Points of the plane are pictures of one pixel with two channels; a sequence is one of its symbols' numbers, row by row.
    `pictures`: whether a photograph may show what they show; `symbols`: how many there are, the marker among them.
    """

    title: str
    side: int
    channels: int
    classes: int | None
    source: str
    pictures: bool = True
    symbols: int = 0
    pixels: bool = False  # whether every pixel has a class of its own

    @property
    def points(self) -> bool:
        """Whether they are points of the plane."""
        return self.side == 1

    @property
    def measure(self) -> str:
        """What is counted of the answers: of pixels what is marked rightly over what is marked or should be."""
        return "IoU" if self.pixels else "accuracy"

    @property
    def things(self) -> Things:
        """What they are called: what a network must be able to read."""
        return "points" if self.points else "sequences" if self.symbols else "masks" if self.pixels else "images"

    @property
    def augmented(self) -> bool:
        """Photographs may be shifted and turned round; a digit's or a spiral's sense would change."""
        return self.channels == 3


_PLAYGROUND: Final = "drawn here as TensorFlow Playground does (Smilkov et al. 2017, arXiv 1708.03788)"


def symbol(number: int) -> str:
    """How a symbol of a sequence is written: the marker, then letters, then numbers."""
    return "▸" if number == 0 else chr(ord("A") + number - 1) if number <= 26 else str(number)


DATASETS: Final[Mapping[str, Dataset]] = {
    "digits": Dataset("Handwritten digits", 8, 1, 10, "scikit-learn's load_digits (Alpaydin & Kaynak 1998)"),
    "spirals": Dataset("Spirals", 16, 1, 2, "drawn here: two arms that wind into each other", pictures=False),
    **{
        f"plane-{name}": Dataset(f"Points: {title}", 1, 2, 2, _PLAYGROUND, pictures=False)
        for name, title in (("circle", "circle"), ("xor", "exclusive or"), ("gaussians", "gaussians"), ("spirals", "spirals"))
    },
    "copy": Dataset(
        "Symbols: copy what follows ▸", 3, 1, 8, "drawn here: nine symbols, one of them marked", pictures=False, symbols=9
    ),
    "discs": Dataset("Discs, pixel by pixel", 32, 1, 2, "drawn here, among squares and in noise", pictures=False, pixels=True),
    "noisy-digits": Dataset(
        "Noisy digits, pixel by pixel",
        32,
        1,
        2,
        "scikit-learn's load_digits (Alpaydin & Kaynak 1998), enlarged; noise drawn here",
        pictures=False,
        pixels=True,
    ),
    "cifar10": Dataset("CIFAR-10", 32, 3, 10, "Krizhevsky 2009, by torchvision"),
    "own": Dataset("Your own images", 32, 3, None, "given by the visitor"),
}
