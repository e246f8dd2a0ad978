"""What a gradient profile says as a whole: the one judgement behind every page, the command line and the lab's detector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from resviz.results import BlockSignal, GradientProfile, Judgement, Verdict
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.net import Activation, BranchScale, Init, NetSpec, Order
from resviz.spec.plane import PlaneSpec
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec

__all__ = ["FACTOR", "FLOOR", "judge", "judge_layers"]

# Next to nothing. At such a gradient all of the paper's 64,000 steps together (rates that add up to 3,376, momentum 0.9) move a
# weight tensor by 0.34, where its norm is 2 to 64 here; and a step at rate 0.1 is what fp32 rounds the weights to. Measured on
# digits (no norm, rate 0.1, 400 steps): plain networks that began at 2e-3 and more learned, those at 3e-4 and less never did.
FLOOR: Final = 1e-5
# Level within two decades either way: every recorded training stayed within a factor of 17, ResNet-110 begins at 28.
FACTOR: Final = 100.0
_UNDERFLOW = 1e-30  # a zero beside a norm like this was too small for fp32
_CALLED: Final[Mapping[type, str]] = {TransformerSpec: "matrix", PlaneSpec: "inner layer"}  # what is judged
_CONSTRUCTED = ("dropped", "unread", "cut", "gamma", "shut", "alpha", "blocked", "barred", "head")
_LEARNED = 0.1  # of what guessing costs


def judge(profile: GradientProfile, spec: Network, signal: BlockSignal | None = None) -> Judgement:
    """Every convolution but those whose gradient is 0 by construction, beside the last one that gets a gradient.

    `spec` is the network as it was measured. The classifier is no reference: its gradient is of another kind and size.
    """
    norms = dict(zip(profile.names, np.asarray(profile.norms, np.float64).tolist(), strict=True))
    convs = [name for name in profile.names if name != spec.classifier]
    zeros = _zeros(spec, convs, norms)
    constructed = {name for reason in _CONSTRUCTED for name in zeros.get(reason, ())}
    judged = _judged(spec, [name for name in convs if name not in constructed])
    found = _whole(profile, norms, convs, judged, math.log(spec.classes))
    forward = None if signal is None else (float(signal.activation_std[0]), float(signal.activation_std[-1]))
    return replace(found, zeros=zeros, called=_CALLED.get(type(spec), "convolution"), forward=forward)


def judge_layers(profile: GradientProfile, guess: float) -> Judgement:
    """The same of a network that nothing is known of: every layer of the profile counts, and none is 0 by construction.

    `guess` is the loss of a network that has learned nothing.
    """
    norms = dict(zip(profile.names, np.asarray(profile.norms, np.float64).tolist(), strict=True))
    none = tuple(name for name, norm in norms.items() if norm == 0)
    reason = "underflow" if any(0 < norm < _UNDERFLOW for norm in norms.values()) else "dead"
    found = _whole(profile, norms, profile.names, profile.names, guess)
    return replace(found, zeros={reason: none} if none else {}, called="judged layer")


def _whole(
    profile: GradientProfile, norms: dict[str, float], convs: Sequence[str], judged: Sequence[str], guess: float
) -> Judgement:
    """The judgement but for what only the spec can tell."""
    alive = [name for name in judged if norms[name] != 0]
    at = {name: (name, norms[name]) for name in convs}
    ends = judged or convs
    first, reference = at[ends[0]], at[alive[-1]] if alive else at[ends[-1]]
    kind, odd = _kind(profile, norms, judged, alive)
    if kind == "gone" and profile.loss < _LEARNED * guess:
        kind = "settled"
    return Judgement(
        kind=kind,
        layers=len(ends),
        first=first,
        reference=reference,
        smallest=at[min(ends, key=norms.__getitem__)],
        largest=at[max(ends, key=norms.__getitem__)],
        under=sum(norms[name] <= FLOOR for name in ends),
        odd=odd,
        zeros={},
        loss=profile.loss,
        guess=guess,
    )


def _kind(
    profile: GradientProfile, norms: dict[str, float], judged: Sequence[str], alive: Sequence[str]
) -> tuple[Verdict, tuple[str, ...]]:
    """The kind, and the layers that make it so."""
    bad = tuple(name for name, norm in norms.items() if not math.isfinite(norm))
    if bad or not math.isfinite(profile.loss):
        return "overflow", bad
    if not alive:
        return "zero", tuple(judged)
    values = np.array([norms[name] for name in judged])
    if values.max() <= FLOOR:
        return "gone", tuple(judged)
    if len(judged) == 1:
        return "bypassed", ()
    reference = norms[alive[-1]]
    low = tuple(name for name in judged if norms[name] < reference / FACTOR)
    high = tuple(name for name in judged if norms[name] > reference * FACTOR)
    if judged[0] in low:
        return "vanishes", low
    if judged[0] in high:
        return "explodes", high
    return ("uneven", low + high) if low or high else ("gone", tuple(judged)) if np.median(values) <= FLOOR else ("level", ())


def _judged(spec: Network, names: Sequence[str]) -> list[str]:
    """Without the stem where F starts at 0: while it is small it damps the branches alike, and the stem, fed by the skips, not at all."""
    branches = [name for name in names if ".conv" in name]
    return branches if _begins_empty(spec) and branches else list(names)


def _shut(spec: NetSpec) -> bool:
    """The γ that begins at 0 stands in front of a ReLU, whose slope at 0 is 0: it never moves."""
    return spec.activation is Activation.RELU and spec.block.order in (Order.NORM_AFTER, Order.RELU_BEFORE, Order.PREACT)


def _begins_empty(spec: Network) -> bool:
    """Every F begins at 0, by a factor behind its layers."""
    return isinstance(spec, NetSpec) and (spec.init is Init.ZERO_GAMMA or spec.scale is BranchScale.LEARNED)


def _zeros(spec: Network, convs: Sequence[str], norms: dict[str, float]) -> dict[str, tuple[str, ...]]:
    """The convolutions of exactly 0 by reason: some by construction, "underflow", or "dead" where nothing passes."""
    none = [name for name in convs if norms[name] == 0]
    tiny = any(0 < norms[name] < _UNDERFLOW for name in convs)
    found: dict[str, list[str]] = {}
    for name in none:
        reason = next(_constructed(spec, name), "underflow" if tiny else "dead")
        found.setdefault(reason, []).append(name)
    return {reason: tuple(names) for reason, names in found.items()}


def _constructed(spec: Network, name: str) -> Iterator[str]:
    """Why a layer gets no gradient whatever the weights are."""
    if isinstance(spec, TransformerSpec):
        if spec.unit_of(name) in spec.dropped:
            yield "dropped"
        return
    block = name.rpartition(".conv")[0] or ".".join(name.split(".")[:2])
    inside = f"{block}.conv" in name
    empty, gamma = _begins_empty(spec), spec.init is Init.ZERO_GAMMA
    if inside and block in spec.dropped:
        yield "dropped"
    if isinstance(spec, DenseSpec) and block in spec.block_names() and spec.unread(block):
        yield "unread"
    if not isinstance(spec, NetSpec | UNetSpec):
        return
    if name.startswith(f"{block}.downsample") and not spec.has_skip(block):
        yield "cut"
    if isinstance(spec, UNetSpec):
        return
    if empty and not all(map(spec.has_skip, spec.block_names())):
        yield "blocked" if gamma else "barred"
    if empty and inside:
        yield ("shut" if _shut(spec) else "gamma") if gamma else "alpha"
    if spec.init is Init.FIXUP:
        yield "head"
