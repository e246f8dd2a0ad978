"""Claims about trained networks taken apart."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

from resviz.claims.claim import Claim, Finding, middle, spread
from resviz.claims.evidence import Evidence
from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import number
from resviz.probes.similarity import similarity
from resviz.probes.skipless import removal
from resviz.results import Lesions
from resviz.zoo.bundled import load_bundled

__all__ = ["ANATOMY"]

_VEIT = "Veit et al. 2016, arXiv 1605.06431"
_DEEP = "resnet110"  # the paper's depth


def _digits(evidence: Evidence, name: str, pictures: int) -> str:
    return f"{name} on digits, {counted(len(evidence.seeds(name)), 'seed')}, {counted(pictures, 'held-out picture')}"


def _rise(found: Lesions) -> float:
    return middle(found.of("dropped").values()) - found.base


def _one_branch(evidence: Evidence) -> Finding:
    found = [evidence.lesions(name) for name in evidence.seeds(_DEEP)]
    rises = [_rise(each) for each in found]
    return Finding(
        f"without one branch the error in the middle rises by {spread(rises)} points",
        _digits(evidence, _DEEP, found[0].pictures),
        all(rise <= 3 for rise in rises),
    )


def _worst(evidence: Evidence) -> Finding:
    found = [evidence.lesions(name) for name in evidence.seeds(_DEEP)]
    worst = [max(errors, key=errors.__getitem__) for errors in (each.of("dropped") for each in found)]
    said = ", ".join(f"{name} ({each.of('dropped')[name]:.1f} %)" for name, each in zip(worst, found, strict=True))
    return Finding(
        f"worst without {said}",
        _digits(evidence, _DEEP, found[0].pictures),
        all(name in ("layer2.0", "layer3.0") for name in worst),
    )


def _plain(evidence: Evidence) -> Finding:
    found = [evidence.lesions(name) for name in evidence.seeds("plain20")]
    errors = [middle(each.of("bypassed").values()) for each in found]
    base = spread((each.base for each in found), " %")
    return Finding(
        f"the identity in one layer's place leaves {spread(errors, ' %')} wrong, beside {base} with all layers",
        _digits(evidence, "plain20", found[0].pictures) + "; with batch norm, which the paper's VGG has not",
        all(error >= 80 for error in errors),
    )


def _smoothly(title: str) -> Callable[[Evidence], Finding]:
    def measure(evidence: Evidence) -> Finding:
        names = evidence.seeds(_DEEP)
        found = [evidence.several(name)[title] for name in names]
        counts = found[0].counts
        rows = [spread(float(each.median[i]) for each in found) for i in range(len(counts))]
        steps = np.stack([[each.base, *each.median] for each in found])
        return Finding(
            "; ".join(f"{count}: {row} %" for count, row in zip(counts, rows, strict=True)),
            _digits(evidence, _DEEP, found[0].pictures) + f", medians of {counted(evidence.draws, 'draw')}",
            bool((np.diff(steps, axis=1) >= -1).all()),
        )

    return measure


def _slogan(evidence: Evidence) -> Finding:
    def share(blocks: int) -> float:
        return sum(comb(blocks, k) for k in range(5, 18)) / 2**blocks

    return Finding(
        f"{100 * share(54):.4f} % of 54 blocks' paths, and {percent(share(27))} of 27 blocks'",
        "counted, nothing is trained; the 27 are ResNet-56's",
        round(100 * share(54), 2) == 0.45,
    )


def _short_paths(evidence: Evidence) -> Finding:
    names = evidence.seeds(_DEEP)
    found = [evidence.paths(name) for name in names]
    shares = [float(each.share[5:18].sum()) for each in found]
    means = [float((np.arange(each.units + 1) * each.share).sum()) for each in found]
    return Finding(
        f"{spread(100 * share for share in shares)} % of all lengths' norms; mean length {spread(means)} of {found[0].units}",
        _digits(evidence, _DEEP, found[0].pictures) + "; exact, where the paper samples",
        all(share >= 0.5 for share in shares),
    )


def _direction(evidence: Evidence) -> Finding:
    found = [evidence.refinement(name) for name in evidence.seeds("resnet56")]
    down = [each.cosines[np.isfinite(each.cosines)] for each in found]
    shares, cosines = [float((each > 0).mean()) for each in down], [float(np.median(each)) for each in down]
    return Finding(
        f"{spread(100 * share for share in shares)} % of the blocks step down the loss; cosine in the middle {spread(cosines)}",
        _digits(evidence, "resnet56", found[0].pictures),
        all(share >= 2 / 3 for share in shares) and all(cosine >= 0.02 for cosine in cosines),
    )


def _read_out(evidence: Evidence) -> Finding:
    found = [evidence.refinement(name) for name in evidence.seeds("resnet56")]
    first, last = ([list(each.read.values())[i] for each in found] for i in (0, -1))
    return Finding(
        f"the head reads {spread(first, ' %')} wrong behind the first block of the last stage, {spread(last, ' %')} behind the last",
        _digits(evidence, "resnet56", found[0].pictures),
        all(end < begin for begin, end in zip(first, last, strict=True)),
    )


def _same_layers(evidence: Evidence) -> Finding:
    names = evidence.seeds("resnet20")
    pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    shares = []
    for one, other in pairs:
        images, _ = evidence.batch(one)
        found = similarity(load_bundled(one).private_view(), images, load_bundled(other).private_view())
        shares.append(100 * float((found.values.argmax(1) == np.arange(len(found.rows))).mean()))
    return Finding(
        f"{spread(shares)} % of the blocks are most like the other training's block of the same place",
        f"resnet20 on digits, {counted(len(pairs), 'pair')} of seeds, 256 pictures, linear CKA",
        middle(shares) >= 90,
    )


def _removed(design: str) -> Callable[[Evidence], Finding]:
    def measure(evidence: Evidence) -> Finding:
        found = []
        for name in evidence.seeds(design):
            classifier, (images, _) = load_bundled(name), evidence.batch(name)
            found.append(removal(classifier.private_view(), classifier.private_view(), images, repeats=1))
        more = found[0].parameters[1] / found[0].parameters[0]
        return Finding(
            f"logits differ by at most {number(max(each.off for each in found))}, {sum(each.changed for each in found)} answers do; "
            f"{number(more)} times the parameters",
            _digits(evidence, design, found[0].pictures),
            all(each.off <= 1e-4 and not each.changed for each in found),
        )

    return measure


def _branches_help(evidence: Evidence) -> Finding:
    ours, plain = ([each["measured"]["test_error"] for each in evidence.cards(name)] for name in ("repvgg20", "plain20"))
    return Finding(
        f"{spread(ours, ' %')} wrong with both, {spread(plain, ' %')} by the 3×3 convolutions alone",
        "repvgg20 and plain20 on digits, 3 seeds, 297 held-out pictures, from their cards",
        middle(ours) < middle(plain),
    )


def _on_cifar(measured: Callable[[Evidence, Lesions], tuple[str, bool]]) -> Callable[[Evidence], Finding]:
    def measure(evidence: Evidence) -> Finding:
        if not evidence.has_cifar:
            return Finding(why="CIFAR-10 is not on this machine; name a folder of its pictures with --cifar")
        found = evidence.lesions("resnet56-cifar10")
        said, holds = measured(evidence, found)
        return Finding(said, f"resnet56 on CIFAR-10, 1 seed, {counted(found.pictures, 'test picture')}", holds)

    return measure


def _cifar_branch(evidence: Evidence, found: Lesions) -> tuple[str, bool]:
    errors = found.of("dropped")
    said = f"{number(found.base)} % as it is, {spread(errors.values(), ' %')} without one branch"
    return said, _rise(found) <= 3


def _cifar_worst(evidence: Evidence, found: Lesions) -> tuple[str, bool]:
    errors = found.of("dropped")
    first, second, *_ = sorted(errors, key=errors.__getitem__, reverse=True)
    said = f"worst without {first} ({number(errors[first])} %), then {second} ({number(errors[second])} %)"
    return said, first in ("layer2.0", "layer3.0")


def _claim(key: str, says: str, published: str, agrees_where: str, measure: Callable[[Evidence], Finding]) -> Claim:
    return Claim(key, says, _VEIT, published=published, agrees_where=agrees_where, page="anatomy", measure=measure)


ANATOMY = (
    _claim(
        "one-branch",
        "Without any one block of a trained ResNet-110 the error hardly rises",
        "no number printed (figure 3)",
        "the median rises by at most 3 points, every seed",
        _one_branch,
    ),
    _claim(
        "downsampling",
        "Blocks that downsample are the exception",
        "no number printed (figure 3)",
        "one of them is the worst, every seed",
        _worst,
    ),
    _claim(
        "plain-layer",
        "Without any one layer a plain network is lost",
        "about 90 % error, VGG on CIFAR-10",
        "the median is 80 % or more, every seed",
        _plain,
    ),
    _claim(
        "many-branches",
        "The error rises smoothly with the number of deleted blocks",
        "no number printed (figure 5)",
        "no more blocks ever cost a point less",
        _smoothly("branches dropped"),
    ),
    _claim(
        "swapped",
        "The error rises smoothly with the number of reordered blocks",
        "no number printed (figure 5)",
        "no more pairs ever cost a point less",
        _smoothly("pairs swapped"),
    ),
    _claim(
        "path-share",
        "Paths through 5 to 17 of 54 blocks are few",
        "0.45 % of all paths",
        "rounded to two places it is the same",
        _slogan,
    ),
    _claim(
        "short-paths",
        "Paths through 5 to 17 of 54 blocks carry almost all of the gradient",
        "no number printed (figure 6)",
        "they carry half or more, every seed",
        _short_paths,
    ),
    _claim(
        "cifar-branch",
        "Without any one block the error hardly rises, on the paper's data",
        "no number printed (figure 3, ResNet-110)",
        "the median rises by at most 3 points",
        _on_cifar(_cifar_branch),
    ),
    _claim(
        "cifar-downsampling",
        "Blocks that downsample are the exception, on the paper's data",
        "no number printed (figure 3, ResNet-110)",
        "one of them is the worst",
        _on_cifar(_cifar_worst),
    ),
    Claim(
        "down-the-loss",
        "Blocks move features along the negative gradient of the loss",
        "Jastrzębski et al. 2018, arXiv 1710.04773",
        published="no number printed",
        agrees_where="two thirds of the blocks do, with a cosine in the middle of 0.02 or more, every seed",
        page="anatomy",
        measure=_direction,
    ),
    Claim(
        "read-out",
        "Later blocks refine what earlier ones found",
        "Greff et al. 2017, arXiv 1612.07771; Jastrzębski et al. 2018",
        published="no number printed",
        agrees_where="the head reads fewer errors behind the last block than behind the stage's first, every seed",
        page="anatomy",
        measure=_read_out,
    ),
    Claim(
        "same-layers",
        "In two trainings of one network the same layers are the most alike",
        "Kornblith et al. 2019, arXiv 1905.00414",
        published="about 99 %, ten layers without skips",
        agrees_where="90 % or more, median of the pairs",
        page="landscape",
        measure=_same_layers,
    ),
    Claim(
        "skips-removed",
        "The skips of a trained ResNet can be removed exactly",
        "Meng et al. 2021 (RMNet), arXiv 2111.00687",
        published="the same answers",
        agrees_where="logits differ by at most 10⁻⁴ and no answer does, every seed",
        page="anatomy",
        measure=_removed("resnet56"),
    ),
    Claim(
        "rep-folded",
        "A block of 3×3, 1×1 and identity side by side folds into one 3×3 convolution exactly",
        "Ding et al. 2021 (RepVGG), arXiv 2101.03697",
        published="the same answers",
        agrees_where="logits differ by at most 10⁻⁴ and no answer does, every seed",
        page="anatomy",
        measure=_removed("repvgg20"),
    ),
    Claim(
        "rep-branches",
        "Such a network trains to a better one than its 3×3 convolutions alone",
        "Ding et al. 2021 (RepVGG), arXiv 2101.03697",
        published="about 75.1 % and 72.4 % ImageNet top-1 (RepVGG-B0)",
        agrees_where="its median error is below the plain network's",
        page="anatomy",
        measure=_branches_help,
    ),
)
