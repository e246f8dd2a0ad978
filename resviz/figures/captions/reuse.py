"""Which features a DenseNet reads again, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resviz.figures.captions.numbers import counted
from resviz.results import Reuse

__all__ = ["reuse_note"]

_AS_DRAWN = 0.1  # of each ratio from 1, where weights are all drawn alike
_PAPER = (
    "Huang et al. 2017 (figure 5, L=40, k=12, 300 epochs of CIFAR-10 with weight decay) find the input of the second and the third block read least, "
    "and the classifier drawn to the last layers."
)


def reuse_note(found: Sequence[Reuse], network: str, steps: int) -> str:
    """What each block reads of its input beside its other sources, and which sources the classifier reads most, beside the paper's figure 5."""
    ratios = {each.block: ratio for each in found if np.isfinite(ratio := _over_the_others(each))}
    ends = found[-1].values[:, -1]
    most = found[-1].sources[int(np.nanargmax(ends))]
    said = [f"**{network}** after {counted(steps, 'step')} on digits, mean |w| from a source to a reader."]
    if ratios:
        inputs = ", ".join(f"{ratio:.2f} in `{block}`" for block, ratio in ratios.items())
        said.append(f"A block's input is read {inputs} times as strongly as the layers' own features.")
    if ratios and all(abs(ratio - 1) <= _AS_DRAWN for ratio in ratios.values()):
        said.append("That is as weights are drawn: nothing prefers a source yet.")
    else:
        said.append(f"The classifier reads {'the input of its block' if most == 'input' else f'layer {most} of its block'} most.")
    return " ".join([*said, _PAPER])


def _over_the_others(reuse: Reuse) -> float:
    """The mean over readers that read both of |w| from the input, over that from the layers."""
    both = [column for column in reuse.values.T if np.isfinite(column[0]) and np.isfinite(column[1:]).any()]
    return float(np.mean([column[0] / np.nanmean(column[1:]) for column in both])) if both else float("nan")
