"""What was left of a network when parts were taken away, how its gradient divides, how its blocks refine; and the papers beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from resviz.figures.captions.numbers import counted, percent
from resviz.figures.theme import count, number
from resviz.results import Draws, Lesions, PathLengths, Refinement, SkipRemoval
from resviz.spec.lesion import Lesion
from resviz.spec.words import counted_names

__all__ = [
    "beside_jastrzebski",
    "beside_veit",
    "beside_veits_paths",
    "draws_note",
    "lesion_note",
    "lesions_note",
    "paths_by_length_note",
    "refinement_note",
    "skipless_note",
]


def _points(error: float) -> str:
    return f"{error:.1f} %"


def _moved(points: float) -> str:
    return f"{points:+.1f} points".replace("-", "−")


def _estimated(pictures: int) -> str:
    """What batch norms went by, where that is not what they were trained with."""
    return (
        f" Batch norms go by statistics that were estimated again, each time, on {counted(pictures, 'picture')}."
        if pictures
        else ""
    )


def lesion_note(lesion: Lesion, base: float, error: float, pictures: int, estimated_on: int = 0) -> str:
    """What the error becomes with what was taken away, and where batch norms' statistics are from if not from training."""
    parts = [
        counted_names(names, one, many, done)
        for names, one, many, done in (
            (lesion.dropped, "branch", "branches", "dropped"),
            (lesion.cut, "skip", "skips", "cut"),
            (lesion.bypassed, "layer", "layers", "replaced by the identity"),
        )
        if names
    ]
    if not parts:
        return f"As it is, the network answers **{_points(base)}** of {counted(pictures, 'picture')} wrongly.{_estimated(estimated_on)}"
    change = error - base
    moved = "as before" if abs(change) < 0.05 else f"{abs(change):.1f} points {'more' if change > 0 else 'less'} than as it is"
    said = f"With {' and '.join(parts)}, **{_points(error)}** of {counted(pictures, 'picture')} are answered wrongly, {moved}."
    return said + _estimated(estimated_on)


def lesions_note(found: Lesions) -> str:
    """The median and the worst of all lesions of one part."""
    said = [
        f"{what} **{_points(float(np.median(list(errors.values()))))}**, {end} {_points(extreme(errors.values()))} (`{name}`)"
        for kind, what, end, extreme in (
            ("dropped", "without one branch the median is", "at most", max),
            ("cut", "without one skip it is", "at least", min),
            ("bypassed", "with the identity in one layer's place the median is", "at least", min),
        )
        if (errors := found.of(kind)) and (name := extreme(errors, key=errors.__getitem__))
    ]
    whole = "; ".join([f"As it is, {_points(found.base)} of {counted(found.pictures, 'picture')} are wrong", *said]) + "."
    return whole + _estimated(found.estimated_on)


def beside_veit(found: Lesions) -> str:
    """Veit et al.'s claim about single lesions beside what was measured: agrees where the median rises by at most 3 points, or to 80 %."""
    paper = "**The paper says** (Veit et al. 2016, arXiv 1605.06431, §4.1, CIFAR-10):"
    if layers := found.of("bypassed"):
        middle = float(np.median(list(layers.values())))
        verdict = "agrees" if middle >= 80 else "differs in size"
        return (
            f"{paper} without any one layer a VGG network is left at about 90 % error; theirs has no batch norm, ours has. "
            f"**We measure** a median of {_points(middle)} beside {_points(found.base)}: {verdict}."
        )
    errors = found.of("dropped")
    if not errors:
        return ""
    rise = float(np.median(list(errors.values()))) - found.base
    worst = max(errors, key=errors.__getitem__)
    stage, _, index = worst.removeprefix("layer").partition(".")
    place = (
        "the first block"
        if worst == next(iter(errors))
        else "a downsampling block"
        if index == "0" and stage != "1"
        else "another"
    )
    where = "where the paper has it" if place == "a downsampling block" else "not where the paper has it"
    return (
        f"{paper} without any one block of ResNet-110 the error hardly rises, except at downsampling blocks. "
        f"**We measure** a median of {_moved(rise)}: {'agrees' if rise <= 3 else 'differs'}. The worst is `{worst}`, "
        f"{place} ({_moved(errors[worst] - found.base)}), {where}."
    )


def draws_note(drawn: Mapping[str, Draws]) -> str:
    """What several at once cost, and whether the error rises smoothly."""
    said = []
    for title, found in drawn.items():
        steps = [f"{count}: {_points(float(median))}" for count, median in zip(found.counts, found.median, strict=True)]
        said.append(f"**{title.capitalize()}**, median of {found.errors.shape[1]} draws: {', '.join(steps)}")
    rises = all(bool((np.diff([found.base, *found.median]) >= -1).all()) for found in drawn.values())
    paper = (
        "**The paper says** (Veit et al. 2016, §4.2–4.3) that the error rises smoothly with the number of deleted or reordered blocks, as "
        f"an ensemble's does. **We measure**: {'agrees' if rises else 'it does not rise at every step'}."
    )
    return ". ".join([*said, paper]) + _estimated(next(iter(drawn.values())).estimated_on)


def paths_by_length_note(found: PathLengths) -> str:
    """Which lengths carry the gradient, how many of all paths they are, and how exactly all lengths add up."""
    if not found.units:
        return "No block has both a branch and a skip, so there is one path, through every layer, and all of the gradient comes by it."
    first, last = found.carrying()
    share = float(found.paths[first : last + 1].sum())
    mean = float((np.arange(found.units + 1) * found.share).sum())
    loud = float(found.norms.sum()) / found.total if found.total else math.nan
    return (
        f"95 % of the lengths' gradients come by paths through **{first} to {last} of {found.units} blocks**, which are {percent(share)} of all "
        f"2^{found.units} paths; the mean length is {mean:.1f} where the paths' own is {found.units / 2:.1f}. All lengths together are the gradient "
        f"that one backward pass gives, to {number(found.off)}; their norms add up to {number(loud)} times its norm, since paths also cancel. "
        f"Loss of {counted(found.pictures, 'picture')}, at what enters the first block."
    )


def beside_veits_paths(found: PathLengths) -> str:
    """Veit et al.'s claim about short paths beside what was measured: agrees where the mean length is at most three quarters of the paths'."""
    if not found.units:
        return ""
    mean = float((np.arange(found.units + 1) * found.share).sum())
    verdict = "agrees: shorter paths carry more than their number" if mean <= 0.75 * found.units / 2 else "differs"
    slogan = float(found.paths[5 : min(17, found.units) + 1].sum()) if found.units >= 5 else 0.0
    return (
        "**The paper says** (Veit et al. 2016, §4.4, ResNet-110 on CIFAR-10, paths sampled one by one) that almost all of the gradient comes by "
        f"paths through 5 to 17 of 54 blocks, which are 0.45 % of all paths. Of all paths through this network's {found.units} blocks "
        f"they are {percent(slogan)}. **We measure** a mean length of {mean:.1f}, half of the blocks being "
        f"{found.units / 2:.1f}: {verdict}. We add paths of one length up before we take the norm; the paper multiplies the norm of one by their number."
    )


def refinement_note(found: Refinement) -> str:
    """Which way the blocks step, how far, and what the head makes of the signal on its way."""
    down = found.cosines[np.isfinite(found.cosines)]
    names, errors = list(found.read), list(found.read.values())
    middle = int(np.argmin(found.ratios))
    said = (
        f"{int((down > 0).sum())} of {len(down)} blocks that keep the shape step down the loss, their F(x) along −∂L/∂x "
        f"(cosine {number(float(np.median(down)))} in the middle). "
        if down.size
        else ""
    )
    said += f"`{found.units[middle]}` adds least: ‖F(x)‖/‖x‖ = {number(float(found.ratios[middle]))}. "
    return said + (
        f"Read out by the network's own head, {_points(errors[0])} of {counted(found.pictures, 'picture')} are wrong after `{names[0]}` and "
        f"{_points(errors[-1])} after `{names[-1]}`."
    )


def beside_jastrzebski(found: Refinement) -> str:
    """The claims about iterative inference beside what was measured.

    The direction agrees where two thirds of the blocks step down the loss and the cosine in the middle is at least 0.02, several times
    what directions drawn at random have; the refinement agrees where the head reads fewer errors at the end.
    """
    down, errors = found.cosines[np.isfinite(found.cosines)], list(found.read.values())
    with_loss = bool(down.size) and float((down > 0).mean()) >= 2 / 3 and float(np.median(down)) >= 0.02
    falls = errors[-1] < errors[0]
    return (
        "**The paper says** (Jastrzębski et al. 2018, arXiv 1710.04773) that blocks move features along the negative gradient of the loss, the later "
        f"ones refining what the first found. **We measure**: the direction {'agrees' if with_loss else 'is not clearly that one'}; the error read out along the "
        f"last stage {'falls, which agrees' if falls else 'does not fall, which differs'}."
    )


_CARRIED: Final = (
    "x goes along in channels of its own",
    "Meng et al. 2021, RMNet, arXiv 2111.00687",
    "skips can be removed exactly behind ReLUs",
)
_FOLDED: Final = (
    "Each block's 3×3, its 1×1 and x itself are one 3×3 convolution now",
    "Ding et al. 2021, RepVGG, arXiv 2101.03697",
    "such a block can be folded exactly once it is trained",
)


def skipless_note(found: SkipRemoval) -> str:
    """Whether the answers stay, and what the skips were worth; agrees with the paper where logits differ by at most 10⁻⁴ and no answer does."""
    (before, after), (quick, slow) = found.parameters, found.seconds
    folds = found.single == found.skips
    way, source, says = _FOLDED if folds else _CARRIED
    same = found.off <= 1e-4 and not found.changed
    return (
        f"All {counted(found.skips, 'skip')} taken away, {found.changed} of {counted(found.pictures, 'answer')} differ, and logits of up to "
        f"{number(found.largest)} by at most **{number(found.off)}**. {way}: {count(before)} parameters become "
        f"{count(after)} ({number(after / before)} times), a pass takes {number(slow / quick)} times as long. **The paper says** ({source}) "
        f"that {says}. **We measure**: {'agrees' if same else 'differs'}. "
        f"So {'such a skip holds nothing that one convolution could not' if folds else 'a skip is worth so many channels'} once the network is trained; "
        "whether it could have been trained like that, this does not say."
    )
