"""What is asked, as values, and its answer: one method on one picture, privately, with progress, cancellable at every pass."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from resviz.attribution.batch_size import timings_of
from resviz.attribution.method import Evidence, Method, Score, Setting, Value, Values
from resviz.attribution.methods.table import averaged, method_of
from resviz.attribution.watch import seeded, watched
from resviz.guard import nearest, quoted
from resviz.machine import device
from resviz.nets.families.resnet import ResNet
from resviz.progress import Tick, quiet
from resviz.results import Attribution
from resviz.spec.net import NetSpec
from resviz.zoo.classifier import Classifier

__all__ = ["Asked", "Case", "Question", "ask", "attribute", "cost", "snippet"]


@dataclass(frozen=True, eq=False)
class Case:
    """Which class of which photograph for which network; `against`: for that class rather than for this other one."""

    network: Classifier
    photograph: Image.Image
    target: int
    against: int | None = None

    @property
    def words(self) -> str:
        """The class, and the other one: "church rather than golf ball"."""
        names = self.network.categories
        return names[self.target] + ("" if self.against is None else f" rather than {names[self.against]}")


@dataclass(frozen=True)
class Asked:
    """A method, the block where it looks if it looks at one, and the values of its parameters; what is left out is as usual."""

    method: str
    layer: str | None = None
    values: Values = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, name: str, values: Values | None = None) -> Asked:
        """From a name that may carry the layer, "grad-cam@layer3.1"; a value called "layer" says it where the name does not."""
        method, _, layer = name.partition("@")
        rest = dict(values or {})
        other = rest.pop("layer", None)
        return cls(method, layer or (None if other is None else str(other)), rest)

    @property
    def name(self) -> str:
        """The method with its layer: a key, a file's name and an argument of the command line."""
        return self.method + (f"@{self.layer}" if self.layer else "")

    @property
    def title(self) -> str:
        """The same in words."""
        return self.entry.title + (f" · {self.layer}" if self.layer else "")

    @property
    def key(self) -> tuple[str, tuple[tuple[str, Value], ...]]:
        """What tells it from every other one."""
        return self.name, tuple(sorted(self.values.items()))

    @property
    def entry(self) -> Method:
        """The method in the table; raises `ValueError` where there is none of that name."""
        return method_of(self.method)

    def complete(self, network: Classifier) -> Asked:
        """With every parameter's value, and the last block, where Grad-CAM is usually read, for a layer method without one."""
        layer = self.layer
        if self.entry.layer and layer is None:
            *_, layer = network.spec.block_names()
        return Asked(self.method, layer, self.entry.defaults(network.preprocessing.crop) | dict(self.values))


@dataclass(frozen=True, eq=False)
class Question:
    """A case and what is asked of it, checked and complete: what `attribute` answers and `faithfulness` measures."""

    case: Case
    asked: Asked
    x: Tensor  # (1, C, H, W), channels-last

    @property
    def expected(self) -> int:
        """Pictures that one answer puts through the network."""
        return self.asked.entry.evaluations(self.x.shape[-1], self.asked.values)

    def view(self, spec: NetSpec | None = None) -> ResNet:
        """A private network to ask, the fastest that this method can work with."""
        inside = any(method is not None and method.inside for method in (self.asked.entry, averaged(self.asked.values)))
        return self.case.network.fast_view(spec, fused=not inside)

    def score(self, net: ResNet) -> Score:
        """The case's class as one number a picture."""
        return Score(net, self.case.target, self.case.against)

    def answer(
        self,
        net: ResNet,
        tick: Tick = quiet,
        x: Tensor | None = None,
        layer: str | None = None,
        show: Callable[[np.ndarray], object] | None = None,
    ) -> Evidence:
        """The method's own answer on this network, for the picture or another input of its shape, at its layer or another.

        `show` hears coarse maps, (H, W), where the method has them on its way; `tick` is called while other threads draw.
        """
        x = self.x if x is None else x
        black = self.case.network.preprocessing.black().to(x.device)
        setting = Setting(self.score(net), x, self.asked.values, layer or self.asked.layer or "", black=black, show=show)
        with warnings.catch_warnings(), seeded(tick, x.device) if self.asked.entry.drawn else contextlib.nullcontext():
            warnings.filterwarnings("ignore", category=UserWarning, module="captum")
            return self.asked.entry.run(setting)

    def attribution(self, evidence: Evidence) -> Attribution:
        """The evidence with what it is evidence for."""
        about = self.asked.method, self.case.target
        return Attribution(
            *about, evidence.values, evidence.signed, self.asked.layer, delta=evidence.delta, target_change=evidence.change
        )


def ask(case: Case, asked: Asked) -> Question:
    """Check what is asked and fill in what is usual; raises `ValueError` naming the value and the remedy."""
    network, entry = case.network, asked.entry
    _check_fits(entry, network.spec)
    _check_class(case.target, network.categories)
    if case.against is not None:
        _check_class(case.against, network.categories)
    entry.check_names(asked.layer, asked.values)
    whole = asked.complete(network)
    entry.check_values(whole.values)
    if (inner := averaged(whole.values)) is not None:
        _check_fits(inner, network.spec)
    blocks = list(network.spec.block_names())
    if whole.layer is not None and whole.layer not in blocks:
        raise ValueError(
            f"{quoted(whole.layer)!r} is no block of {network.name}{nearest(whole.layer, blocks) or f'; try {blocks[-1]}'}"
        )
    x = network.preprocessing.tensor(case.photograph).to(device()).contiguous(memory_format=torch.channels_last)
    return Question(case, whole, x)


def _check_class(number: object, categories: Sequence[str]) -> None:
    if isinstance(number, int | np.integer) and not isinstance(number, bool) and 0 <= number < len(categories):
        return
    known = f" ({quoted(number)} is {categories.index(number)})" if isinstance(number, str) and number in categories else ""
    raise ValueError(f"class {quoted(repr(number))} does not exist; choose 0 to {len(categories) - 1}{known}")


def _check_fits(method: Method, spec: NetSpec) -> None:
    if reason := method.unfit(spec):
        raise ValueError(f"{method.title} {reason}; choose another")


def attribute(case: Case, asked: Asked, tick: Tick = quiet, spec: NetSpec | None = None) -> Attribution:
    """The evidence for the case's class: a map of the input's size.

    `tick` hears the fraction done before every forward pass, and the coarse maps that Integrated Gradients has on its way;
    what it raises ends the run. `spec` may differ from the network's in what is cut or dropped. Works on a private view,
    so the shared network keeps its hooks, modes and gradients whatever happens.
    """
    question = ask(case, asked)
    net = question.view(spec)
    watch = watched(net, question.expected, tick)

    def show(values: np.ndarray) -> None:
        tick(watch.fraction, "", question.attribution(Evidence(values, signed=True)))

    evidence = question.answer(net, tick, show=show)
    watch.over()
    return question.attribution(evidence)


def cost(network: Classifier, asked: Asked) -> tuple[int, float | None]:
    """Pictures that one answer puts through the network, and the seconds they take as measured here; None before any was."""
    side, whole = network.preprocessing.crop, asked.complete(network)
    pictures = whole.entry.evaluations(side, whole.values)
    each = timings_of(network.spec, side, whole.entry.backward).seconds
    return pictures, None if each is None else pictures * each


def snippet(load: str, case: Case, asked: Asked) -> str:
    """Runnable Python for one map; `load` is the line that makes `classifier`."""
    whole = asked.complete(case.network)
    fields: dict[str, object] = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in whole.values.items()
    }
    fields |= {"channels": len(case.network.preprocessing.mean), "layer": whole.layer, "kind": whole.method}
    if "window" in whole.values:
        fields["stride"] = max(1, int(whole.values["window"]) // 2)
    if (inner := averaged(whole.values)) is not None:
        fields |= {"class_": inner.snippet.imports, "extra": inner.snippet.averaged}
    return whole.entry.snippet.script(load, whole.entry.title, case.target, case.against, fields)
