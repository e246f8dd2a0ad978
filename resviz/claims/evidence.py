"""What several claims rest on, measured once: lesions, paths and refinement of the bundled networks, and the recorded races."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from torch import Tensor

from resviz.data.datasets import cifar10_there
from resviz.data.images import ImageSet
from resviz.machine import fitting_threads
from resviz.nets.unit import Net
from resviz.probes import lesion
from resviz.probes.landscape import landscapes
from resviz.probes.paths import path_lengths
from resviz.probes.refine import refinement
from resviz.results import Card, Draws, Landscape, Lesions, PathLengths, RaceRecord, Refinement
from resviz.spec.landscape import Plane
from resviz.spec.net import Design
from resviz.zoo.bundled import bundled_names, card, digits_names, load_bundled
from resviz.zoo.first import read_first
from resviz.zoo.labelled import labelled_for
from resviz.zoo.learned import pictures_of

__all__ = ["Evidence"]

T = TypeVar("T")
_SOME, _MANY = 256, 1000  # pictures
_GRID = 9


class Evidence:
    """Measures what is asked for, and keeps it. `cifar` names a folder with CIFAR-10's held-out pictures, or is empty.

    Digits come with scikit-learn, so that everything but the claims about CIFAR-10 can be measured anywhere.
    """

    def __init__(self, cifar: str = "", draws: int = 20) -> None:
        self.cifar, self.draws = cifar, draws
        self._kept: dict[Hashable, object] = {}

    def _once(self, what: Hashable, make: Callable[[], T]) -> T:
        if what not in self._kept:
            self._kept[what] = make()
        found: T = self._kept[what]  # type: ignore[assignment] # what `make` of this key returned
        return found

    @property
    def has_cifar(self) -> bool:
        """Whether CIFAR-10's held-out pictures are at hand without a download."""
        return bool(self.cifar) or cifar10_there()

    def seeds(self, name: str) -> tuple[str, ...]:
        """The bundled digits networks of a design such as resnet56, one for each seed; raises ValueError where there is none."""
        found = tuple(each for each in digits_names() if each.startswith(f"{name}-"))
        if not found:
            raise ValueError(f"no network {name} for digits is bundled; get assets/checkpoints/digits of the project again")
        return found

    def cards(self, name: str) -> tuple[Card, ...]:
        """The cards of a design's bundled networks for digits."""
        return tuple(card(each) for each in self.seeds(name))

    def cifar_card(self, name: str) -> Card | None:
        """The card of a design's bundled network for CIFAR-10, if there is one."""
        return next((card(each) for each in bundled_names() if each == f"{name}-cifar10"), None)

    def _net(self, name: str) -> Net:
        return load_bundled(name).private_view()

    def _pictures(self, name: str, count: int) -> ImageSet:
        data = self.cifar if name.endswith("cifar10") else ""
        return labelled_for(load_bundled(name), data, count)

    def batch(self, name: str, count: int = _SOME) -> tuple[Tensor, Tensor]:
        """So many held-out pictures as the network takes them, and their labels."""
        chosen = self._pictures(name, count)
        return chosen.normalised(chosen.images), chosen.labels

    def lesions(self, name: str) -> Lesions:
        """The error without each part."""

        def make() -> Lesions:
            net, pictures = self._net(name), self._pictures(name, _MANY)
            with fitting_threads(pictures.images.shape[-1]):
                return lesion.lesions(net, pictures, lesion.singles(net))

        return self._once(("lesions", name), make)

    def several(self, name: str) -> dict[str, Draws]:
        """The error with several branches dropped, and with several pairs of blocks swapped."""

        def make() -> dict[str, Draws]:
            pictures = self._pictures(name, _MANY)
            with fitting_threads(pictures.images.shape[-1]):
                return lesion.several(self._net(name), pictures, self.draws)

        return self._once(("several", name), make)

    def paths(self, name: str) -> PathLengths:
        """The gradient by the lengths of its paths."""
        return self._once(("paths", name), lambda: path_lengths(self._net(name), *self.batch(name, 64)))

    def refinement(self, name: str) -> Refinement:
        """Which way the blocks step, how far, and what the head reads on the way."""
        return self._once(("refinement", name), lambda: refinement(self._net(name), *self.batch(name)))

    def landscape(self, name: str) -> Landscape:
        """The loss of pictures that it learned from, on a plane through its weights."""

        def make() -> Landscape:
            net, (images, labels) = self._net(name), pictures_of(load_bundled(name), _SOME)
            design: Design = "residual" if net.spec.residual else "plain"
            with fitting_threads(images.shape[-1]):
                return landscapes({design: net}, images, labels, Plane(), _GRID)[design]

        return self._once(("landscape", name), make)

    def race(self, name: str) -> RaceRecord:
        """A race of the Shortcuts page as it was recorded from several seeds."""
        found = self._once("races", lambda: read_first("shortcuts")).values[name]
        assert isinstance(found, RaceRecord)  # what the file holds
        return found
