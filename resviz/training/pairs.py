"""A residual network and the plain one of its depth, on digits: bundled where they are, else trained here, or before any training."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from resviz.data.datasets import named_sets
from resviz.data.images import digits
from resviz.nets.build import build
from resviz.nets.families.resnet import ResNet
from resviz.nets.unit import Net
from resviz.progress import Tick, quiet
from resviz.spec.lab import Edit, LabPlan
from resviz.spec.landscape import LandscapePlan
from resviz.spec.names import name_of
from resviz.spec.net import DESIGNS, Design, NetSpec
from resviz.spec.query import from_query
from resviz.training.lab import Lab
from resviz.zoo.bundled import card, every_name, load_bundled
from resviz.zoo.classifier import Classifier, Preprocessing

__all__ = ["bundled_pair", "pair", "rate_of"]

_RATE: Final = 0.1
_STEPS, _LATE = 300, 200  # of which those after the second number are with a tenth of the rate, so that the weights come to rest
_BATCH: Final = 64


def bundled_pair(plan: LandscapePlan) -> dict[Design, str]:
    """The names of the bundled networks of the plan's depth and seed, by their cards; empty where one of the two is not there."""
    found: dict[Design, str] = {}
    for name in every_name():
        with suppress(ValueError):  # a damaged one stands aside
            about = card(name)
            spec = from_query(about["spec"])[0]
            if tuple(about["categories"]) == digits().categories and (spec.depth, spec.seed) == (plan.depth, plan.run):
                found["residual" if spec.residual else "plain"] = name
    return {design: found[design] for design in DESIGNS} if len(found) == len(DESIGNS) else {}


def rate_of(plan: LandscapePlan) -> float:
    """The learning rate of their training, where it was greatest."""
    names = bundled_pair(plan)
    rate = card(names["residual"])["recipe"].get("lr") if names else _RATE
    return rate if isinstance(rate, float) else _RATE


def pair(plan: LandscapePlan, tick: Tick = quiet) -> dict[Design, Classifier]:
    """Both networks, in eval mode and not to be changed."""
    if plan.weights == "start":
        return {design: _classifier(build(spec), spec, "before training") for design, spec in plan.specs.items()}
    if names := bundled_pair(plan):
        return {design: load_bundled(name) for design, name in names.items()}
    return _trained(plan, tick)


def _trained(plan: LandscapePlan, tick: Tick) -> dict[Design, Classifier]:
    """Both in lockstep on the same batches of digits."""
    specs = plan.specs
    slower = Edit(_LATE + 1, "lr", value=_RATE / 10)
    asked = LabPlan(tuple(specs.values()), lr=_RATE, batch=_BATCH, seed=plan.run, edits=(slower,))
    lab = Lab(asked, lambda: named_sets("digits"), recording=False, looks=_STEPS)
    for step in range(_STEPS):
        tick(step / _STEPS, f"step {step} of {_STEPS}")
        lab.advance()
    about = f"trained here, {_STEPS} steps on digits"
    return {design: _classifier(lab.network(n)[0], spec, about) for n, (design, spec) in enumerate(specs.items())}


def _classifier(net: Net, spec: NetSpec, source: str) -> Classifier:
    assert isinstance(net, ResNet)  # as the plan's specs are
    known = digits()
    side = known.images.shape[-1]
    return Classifier(name_of(spec), net.eval(), Preprocessing(side, side, known.mean, known.std), known.categories, source)
