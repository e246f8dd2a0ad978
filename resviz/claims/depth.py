"""Claims about depth: how errors, responses and gradients go with it."""

from __future__ import annotations

from dataclasses import replace

from resviz.claims.claim import Claim, Finding, middle, spread, untested
from resviz.claims.evidence import Evidence
from resviz.data.images import probe_batch
from resviz.figures.captions.numbers import counted
from resviz.figures.theme import number
from resviz.machine import fitting_threads
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.probes.shatter import shatter
from resviz.probes.signal import watched_signals
from resviz.results import SIGNALS, Card
from resviz.spec.net import BranchScale, NetSpec, Norm
from resviz.spec.presets import PRESETS, cifar_blocks

__all__ = ["DEPTH"]

_HE15 = "He et al. 2015, arXiv 1512.03385"
_SEEDS = 3
_WIDER, _SMOOTHER = 1.5, 0.02  # as the Landscape page judges
_NOISE = 8  # pictures


def _errors(evidence: Evidence, name: str, kind: str) -> tuple[list[float], float | None]:
    """A design's errors on digits, one for each seed, and on CIFAR-10."""

    def of(card: Card) -> float:
        return card["measured"]["train_error"] if kind == "train" else card["measured"]["test_error"]

    cifar = evidence.cifar_card(name)
    return [of(card) for card in evidence.cards(name)], None if cifar is None else of(cifar)


def _compared(evidence: Evidence, shallow: str, deep: str, kind: str, worse: bool) -> Finding:
    """Whether the deeper one is worse, or better, wherever both are bundled."""
    (few, one), (many, other) = (_errors(evidence, name, kind) for name in (shallow, deep))
    word = "training" if kind == "train" else "held-out"
    said, holds = [f"digits: {spread(many, ' %')} beside {spread(few, ' %')}"], [(middle(many) > middle(few)) is worse]
    if one is not None and other is not None:
        said.insert(0, f"CIFAR-10: {other:.2f} % beside {one:.2f} %")
        holds.append((other > one) is worse)
    where = f"{word} error of {deep} beside {shallow}, from their cards; CIFAR-10 as JPEG, 30 epochs, 1 seed; digits, 3 seeds"
    return Finding(
        "; ".join(said), where if one is not None else where.replace("CIFAR-10 as JPEG, 30 epochs, 1 seed; ", ""), all(holds)
    )


def _degradation(evidence: Evidence) -> Finding:
    return _compared(evidence, "plain20", "plain56", "train", worse=True)


def _deeper(evidence: Evidence) -> Finding:
    return _compared(evidence, "resnet20", "resnet56", "test", worse=False)


def _deepest(evidence: Evidence) -> Finding:
    return _compared(evidence, "resnet56", "resnet110", "test", worse=False)


def _responses(evidence: Evidence) -> Finding:
    names = ("resnet20", "resnet56", "resnet110")
    ratios = [[middle(evidence.refinement(each).ratios) for each in evidence.seeds(name)] for name in names]
    middles = [middle(each) for each in ratios]
    return Finding(
        "; ".join(f"{name}: {spread(each)}" for name, each in zip(names, ratios, strict=True)),
        "‖F‖/‖x‖ of the block in the middle, digits, 3 seeds, 256 held-out pictures",
        middles == sorted(middles, reverse=True),
    )


def _healthy(evidence: Evidence) -> Finding:
    smallest, firsts = [], []
    for seed in range(_SEEDS):
        net = build(replace(PRESETS["plain56"], seed=seed)).train()
        with fitting_threads(32):
            norms = gradient_probe(net, *evidence.noise(3, 32, _NOISE, seed)).profile.norms[:-1]
        smallest.append(float(norms.min() / norms[-1]))
        firsts.append(float(norms[0] / norms[-1]))
    return Finding(
        f"the smallest is {spread(smallest)} of the last layer's; but the first is {spread(firsts)} times the last",
        f"plain56, batch norm, before training, {_SEEDS} seeds, {_NOISE} pictures of noise at 32 px",
        all(each >= 1e-2 for each in smallest),
    )


def _smoother(evidence: Evidence, depth: int) -> tuple[list[float], list[float], list[float], list[float]]:
    with_skips, without = ([evidence.landscape(n) for n in evidence.seeds(f"{kind}{depth}")] for kind in ("resnet", "plain"))
    return (
        [each.share for each in with_skips],
        [each.share for each in without],
        [each.bent for each in with_skips],
        [each.bent for each in without],
    )


def _landscape_words(shares: list[float], others: list[float], bent: list[float], bent_others: list[float]) -> str:
    def both(one: list[float], other: list[float]) -> str:
        return f"{spread(100 * each for each in one)} % with skips, {spread(100 * each for each in other)} % without"

    return f"better than guessing: {both(shares, others)}; curving downwards: {both(bent, bent_others)}"


def _chaotic(evidence: Evidence) -> Finding:
    shares, others, bent, bent_others = found = _smoother(evidence, 56)
    holds = middle(shares) > _WIDER * middle(others) and middle(bent) < middle(bent_others) - _SMOOTHER
    return Finding(
        _landscape_words(*found), "resnet56 and plain56 on digits, 3 seeds, one plane of 9 × 9 points, 256 pictures", holds
    )


def _benign(evidence: Evidence) -> Finding:
    shares, others, bent, bent_others = found = _smoother(evidence, 20)
    holds = middle(shares) <= _WIDER * middle(others) and middle(bent) >= middle(bent_others) - _SMOOTHER
    return Finding(
        _landscape_words(*found), "resnet20 and plain20 on digits, 3 seeds, one plane of 9 × 9 points, 256 pictures", holds
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


def _growth(norm: Norm, scale: BranchScale = BranchScale.ONE) -> tuple[list[float], list[float]]:
    """The variance of what the blocks of a ResNet-110's first stage return, from the second to the last: by how much it grows a
    block, over the first and over the second half; of each seed."""
    early, late = [], []
    for seed in range(_SEEDS):
        net = build(replace(PRESETS["resnet110"], norm=norm, scale=scale, seed=seed)).train()
        with watched_signals(net) as signals, fitting_threads(32):
            net(Evidence().noise(3, 32, _NOISE, seed)[0])
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
                norms.append(float(gradient_probe(net, *evidence.noise(3, 32, _NOISE, seed)).profile.norms[0]))
        return norms[1] / norms[0]

    scaled, bare = ([ratio(scale, seed) for seed in range(_SEEDS)] for scale in (BranchScale.DEPTH, BranchScale.ONE))
    return Finding(
        f"from 20 to 110 layers the first layer's gradient grows {spread(scaled)} times with 1/√L, {spread(bare)} times without",
        f"resnet20 and resnet110 without norm, before training, {_SEEDS} seeds, {_NOISE} pictures of noise at 32 px",
        max(scaled) <= 10 and min(bare) >= 1000,
    )


DEPTH = (
    Claim(
        "degradation",
        "A deeper plain network has a higher training error",
        f"{_HE15}, figure 1",
        published="no number printed: plain-56 above plain-20",
        agrees_where="plain-56 is above plain-20 on every data set",
        page="degradation",
        measure=_degradation,
    ),
    Claim(
        "deeper-better",
        "With skips the deeper network is better",
        f"{_HE15}, table 6",
        published="6.97 % (56) beside 8.75 % (20), CIFAR-10",
        agrees_where="ResNet-56 is below ResNet-20 on every data set",
        page="degradation",
        measure=_deeper,
    ),
    Claim(
        "deepest-better",
        "With skips a still deeper network is better still",
        f"{_HE15}, table 6",
        published="6.43 % (110) beside 6.97 % (56), CIFAR-10",
        agrees_where="ResNet-110 is below ResNet-56",
        page="degradation",
        measure=_deepest,
    ),
    Claim(
        "responses",
        "The deeper a ResNet, the less each block changes the signal",
        f"{_HE15}, figure 7",
        published="no number printed",
        agrees_where="the medians fall from 20 to 56 to 110 layers",
        page="anatomy",
        measure=_responses,
    ),
    Claim(
        "healthy",
        "With batch norm a plain network's gradients do not vanish",
        f"{_HE15}, §4.1",
        published="“healthy norms”, no number printed",
        agrees_where="no layer's gradient is below a hundredth of the last one's, every seed",
        page="gradients",
        measure=_healthy,
    ),
    Claim(
        "chaotic",
        "Without skips the loss of deep networks turns chaotic",
        "Li et al. 2018, arXiv 1712.09913",
        published="test error 13.31 % without, 5.89 % with skips at 56 layers",
        agrees_where="with skips 1.5 times as much of the plane is better than guessing, and less of it curves downwards, medians",
        page="landscape",
        measure=_chaotic,
    ),
    Claim(
        "benign",
        "At 20 layers the loss is still benign without skips",
        "Li et al. 2018, arXiv 1712.09913",
        published="test error 8.18 % without, 7.37 % with skips at 20 layers",
        agrees_where="skips neither make 1.5 times as much of the plane better than guessing, nor less of it curve downwards, medians",
        page="landscape",
        measure=_benign,
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
    Claim(
        "not-only",
        "What skips gain is not trainability alone",
        "Mehmeti-Göpel & Wand 2025, arXiv 2506.14386",
        published="no number taken over",
        agrees_where="–",
        page="home",
        measure=untested("it takes networks of equal trainability, trained to the end on natural pictures"),
    ),
    Claim(
        "edge",
        "Full-batch descent drives the curvature up to 2/η",
        "Cohen et al. 2021, arXiv 2103.00065",
        published="λ_max → 2/η",
        agrees_where="–",
        page="landscape",
        measure=untested("it takes training with the full batch; λ_max stands beside 2/η on the page"),
    ),
    Claim(
        "rank",
        "Attention alone collapses to rank 1, doubly exponentially with depth; skips prevent it",
        "Dong et al. 2021, arXiv 2103.03404",
        published="no number taken over",
        agrees_where="–",
        page="home",
        measure=untested("there is no Transformer here"),
    ),
)
