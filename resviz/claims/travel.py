"""Claims about how the signal and the gradient travel through networks before training."""

from __future__ import annotations

from dataclasses import replace

from resviz.claims.claim import Claim, Finding, middle, spread
from resviz.claims.evidence import Evidence
from resviz.data.images import noise_batch, probe_batch
from resviz.figures.captions.numbers import counted
from resviz.figures.theme import number
from resviz.machine import fitting_threads
from resviz.nets.build import build
from resviz.probes.field import reach
from resviz.probes.gradients import gradient_probe
from resviz.probes.shatter import shatter
from resviz.probes.signal import watched_signals
from resviz.results import SIGNALS
from resviz.spec.net import BranchScale, NetSpec, Norm
from resviz.spec.presets import PRESETS, cifar_blocks

__all__ = ["SIGNALS_AND_GRADIENTS"]

_SEEDS = 3
_NOISE = 8  # pictures
_INPUTS, _NARROWER = 12, 0.95


def _healthy(evidence: Evidence) -> Finding:
    smallest, firsts = [], []
    for seed in range(_SEEDS):
        net = build(replace(PRESETS["plain56"], seed=seed)).train()
        with fitting_threads(32):
            norms = gradient_probe(net, *noise_batch(_NOISE, 3, 32, 10, seed)).profile.norms[:-1]
        smallest.append(float(norms.min() / norms[-1]))
        firsts.append(float(norms[0] / norms[-1]))
    return Finding(
        f"the smallest is {spread(smallest)} of the last layer's; but the first is {spread(firsts)} times the last",
        f"plain56, batch norm, before training, {_SEEDS} seeds, {_NOISE} pictures of noise at 32 px",
        all(each >= 1e-2 for each in smallest),
    )


def _shattered(evidence: Evidence) -> Finding:
    digits, _ = probe_batch(2, 1, 8, 10)
    with fitting_threads(8):
        found = shatter(NetSpec(blocks=cifar_blocks(56), in_channels=1), (digits[:1], digits[1:]), (8, 56), draws=_SEEDS)
    (with_first, with_last), (first, last) = (found.correlations[name][:, 1] for name in ("residual", "plain"))
    return Finding(
        f"from 8 to 56 layers {number(with_first)} → {number(with_last)} with skips, {number(first)} → {number(last)} without".replace(
            "-", "−"
        ),
        f"correlation of neighbours of {len(found.places)} points between two digits, before training, {counted(found.draws, 'seed')}",
        with_last > last + 0.1,
    )


def _field(name: str) -> Finding:
    found = {key: reach(spec, _INPUTS) for key, spec in (("with", PRESETS[name]), ("without", PRESETS[name].plain()))}
    return Finding(
        f"{found['with'].share:.2f} of the theoretical width with skips, {found['without'].share:.2f} without",
        f"{name} and the same without skips, before training, {_INPUTS} inputs of noise over {found['with'].networks} seeds",
        found["with"].width < _NARROWER * found["without"].width,
    )


def _fields(evidence: Evidence) -> Finding:
    shares = [reach(PRESETS[name], _INPUTS).share for name in ("resnet20", "resnet32", "resnet56")]
    return Finding(
        "; ".join(
            f"{depth} layers: {share:.2f} of the theoretical width" for depth, share in zip((20, 32, 56), shares, strict=True)
        ),
        f"resnet20, resnet32 and resnet56, before training, {_INPUTS} inputs of noise each",
        shares == sorted(shares, reverse=True) and max(shares) < 1,
    )


def _growth(norm: Norm, scale: BranchScale = BranchScale.ONE) -> tuple[list[float], list[float]]:
    """The variance of what the blocks of a ResNet-110's first stage return, from the second to the last: by how much it grows a
    block, over the first and over the second half; of each seed."""
    early, late = [], []
    for seed in range(_SEEDS):
        net = build(replace(PRESETS["resnet110"], norm=norm, scale=scale, seed=seed)).train()
        with watched_signals(net) as signals, fitting_threads(32):
            net(noise_batch(_NOISE, 3, 32, 10, seed)[0])
            variance = signals()[:18, SIGNALS.index("variance")]
        early.append(float((variance[9] / variance[1]) ** (1 / 8)))
        late.append(float((variance[17] / variance[9]) ** (1 / 8)))
    return early, late


def _downscales(evidence: Evidence) -> Finding:
    (early, late), (bare_early, bare_late) = _growth(Norm.BATCH), _growth(Norm.NONE)
    return Finding(
        f"factor a block, first and second half of a stage: {spread(early)} and {spread(late)} with batch norm, "
        f"{spread(bare_early)} and {spread(bare_late)} without",
        f"resnet110's first stage, before training, {_SEEDS} seeds, {_NOISE} pictures of noise at 32 px",
        middle(late) < middle(early) < middle(bare_late) and middle(bare_late) >= 0.8 * middle(bare_early),
    )


def _stable(evidence: Evidence) -> Finding:
    def ratio(scale: BranchScale, seed: int) -> float:
        """The first layer's gradient at 110 layers over that at 20."""
        norms = []
        for name in ("resnet20", "resnet110"):
            net = build(replace(PRESETS[name], norm=Norm.NONE, scale=scale, seed=seed)).train()
            with fitting_threads(32):
                norms.append(float(gradient_probe(net, *noise_batch(_NOISE, 3, 32, 10, seed)).profile.norms[0]))
        return norms[1] / norms[0]

    scaled, bare = ([ratio(scale, seed) for seed in range(_SEEDS)] for scale in (BranchScale.DEPTH, BranchScale.ONE))
    return Finding(
        f"from 20 to 110 layers the first layer's gradient grows {spread(scaled)} times with 1/√L, {spread(bare)} times without",
        f"resnet20 and resnet110 without norm, before training, {_SEEDS} seeds, {_NOISE} pictures of noise at 32 px",
        max(scaled) <= 10 and min(bare) >= 1000,
    )


SIGNALS_AND_GRADIENTS = (
    Claim(
        "healthy",
        "With batch norm a plain network's gradients do not vanish",
        "He et al. 2015, arXiv 1512.03385, §4.1",
        published="“healthy norms”, no number printed",
        agrees_where="no layer's gradient is below a hundredth of the last one's, every seed",
        page="gradients",
        measure=_healthy,
    ),
    Claim(
        "shattered",
        "Without skips gradients come to resemble white noise with depth",
        "Balduzzi et al. 2017, arXiv 1702.08591",
        published="about 1/2^L without, 1/√L with skips and batch norm",
        agrees_where="at 56 layers neighbours correlate more with skips, by over 0.1",
        page="gradients",
        measure=_shattered,
    ),
    Claim(
        "field",
        "The effective receptive field fills the less of the theoretical one the deeper the network is",
        "Luo et al. 2016, arXiv 1701.04128",
        published="about 1/√n of it at n layers",
        page="gradients",
        agrees_where="its share falls from 20 to 32 to 56 layers",
        measure=_fields,
    ),
    Claim(
        "field-skips",
        "Skips make the effective receptive field smaller",
        "Luo et al. 2016, arXiv 1701.04128",
        published="no number printed",
        page="gradients",
        agrees_where="with skips its width is less than 0.95 of that without",
        measure=lambda evidence: _field("resnet20"),
    ),
    Claim(
        "downscales",
        "Batch norm scales branches down with depth: variance grows linearly with it, exponentially without",
        "De & Smith 2020, arXiv 2002.10444",
        published="a factor of √depth",
        agrees_where="with it the factor a block falls along a stage, without it stays, medians",
        page="lab",
        measure=_downscales,
    ),
    Claim(
        "stable",
        "Branches scaled by 1/√L keep gradients bounded, unscaled they grow exponentially",
        "Hayou et al. 2021, arXiv 2010.12859",
        published="no number printed",
        agrees_where="at most 10 times with, at least 1,000 times without, every seed",
        page="shortcuts",
        measure=_stable,
    ),
)
