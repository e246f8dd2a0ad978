"""Claims about depth: how errors, responses and the loss around the weights go with it."""

from __future__ import annotations

from resviz.claims.claim import Claim, Finding, middle, spread, untested
from resviz.claims.evidence import Evidence
from resviz.probes.trajectory import components
from resviz.results import Card
from resviz.spec.net import NetSpec
from resviz.spec.presets import cifar_blocks
from resviz.training.descent import STEPS, descent

__all__ = ["DEPTH"]

_HE15 = "He et al. 2015, arXiv 1512.03385"
_SEEDS = 3
_WIDER, _SMOOTHER = 1.5, 0.02  # as the Landscape page judges


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


def _flat(evidence: Evidence) -> Finding:
    shares = []
    for seed in range(_SEEDS):
        _, kept = descent(NetSpec(blocks=cifar_blocks(20), width=8, seed=seed))
        *_, variance = components(list(kept.values()))
        shares.append(sum(variance))
    return Finding(
        f"{spread(100 * share for share in shares)} % in two",
        f"resnet20 of width 8 on digits, {STEPS} steps, {_SEEDS} seeds, weights kept {len(kept)} times",
        all(0.4 <= share <= 0.9 for share in shares),
    )


def _benign(evidence: Evidence) -> Finding:
    shares, others, bent, bent_others = found = _smoother(evidence, 20)
    holds = middle(shares) <= _WIDER * middle(others) and middle(bent) >= middle(bent_others) - _SMOOTHER
    return Finding(
        _landscape_words(*found), "resnet20 and plain20 on digits, 3 seeds, one plane of 9 × 9 points, 256 pictures", holds
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
        "path",
        "A training moves in very few dimensions of all there are",
        "Li et al. 2018, arXiv 1712.09913",
        published="40 to 90 % of the path's variation in two",
        page="landscape",
        agrees_where="two principal components hold as much, every seed",
        measure=_flat,
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
