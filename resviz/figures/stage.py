"""Home's stage as its view takes it: profiles of a byte a layer, so that every answer comes with the page."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from resviz.figures.captions import norm_answer, stage_note
from resviz.figures.theme import on_screen, signal
from resviz.results import Run, Stage
from resviz.spec.lab import plan_to_query
from resviz.spec.names import different
from resviz.spec.net import DESIGNS, Design
from resviz.spec.query import from_query

__all__ = ["stage_data", "stage_json"]

Floats = NDArray[np.floating]
_RAMP = 64
_STRONGEST = 255


def stage_data(stage: Stage, runs: Mapping[Design, Run]) -> dict[str, object]:
    """JSON-able. `runs` are the same designs trained with batch norm; without both of them that part is left out.

    A profile is as many bytes as there are layers: 0 for a gradient that is exactly 0, then 1 to 255 from `floor` to `top`,
    which are powers of ten. A `reach` is the first layer's gradient over the last convolution's, a power of ten too.
    """
    norms = {design: _norms(run) for design, run in runs.items()}
    every = np.concatenate([np.ravel(each) for each in (stage.gradients, stage.cut_gradients, *norms.values())]).astype(
        np.float64
    )
    floor, top = (float(np.round(end(every[np.isfinite(every)]), 3)) for end in (np.min, np.max))
    last = max(i for i, name in enumerate(stage.layers) if name != "fc")

    def drawn(decades: Floats) -> dict[str, object]:
        wide = np.asarray(decades, np.float64)
        shares = np.where(np.isfinite(wide), 1 + (wide - floor) / (top - floor) * (_STRONGEST - 1), 0)
        packed = base64.b64encode(shares.round().astype(np.uint8).tobytes()).decode()
        return {"gradients": packed, "reach": np.round(wide[..., 0] - wide[..., last], 2).tolist()}

    def track(i: int) -> dict[str, object]:
        own = {"name": different(stage.plan.contenders[i]), "accuracy": np.round(stage.accuracy[i], 1).tolist()}
        return own | drawn(stage.gradients[i])

    return {
        **{design: track(i) for i, design in enumerate(DESIGNS)},
        "cuts": {"names": stage.cuts, "accuracy": np.round(stage.cut_accuracy, 1).tolist()} | drawn(stage.cut_gradients),
        "norm": _with_norm(runs, {design: drawn(each) for design, each in norms.items()}),
        "layers": stage.layers,
        "blocks": stage.blocks,
        "steps": stage.gradients.shape[1],
        "images": stage.images,
        "classes": stage.plan.contenders[0].classes,
        "floor": floor,
        "top": top,
        "ramp": [on_screen(colour) for colour in signal(_RAMP)],
        "query": plan_to_query(stage.plan),
    }


def stage_json(stage: Stage, card: Mapping[str, object], runs: Mapping[Design, Run]) -> str:
    """What `stage_data` makes, with its note, as the text that the page reads."""
    said = {"note": stage_note(card, stage.images), "data": stage_data(stage, runs)}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"


def _norms(run: Run) -> Floats:
    """Of every layer after the last epoch, as powers of ten."""
    probe = run.epochs[-1].probe
    assert probe is not None  # every recorded run's last epoch has one
    with np.errstate(divide="ignore"):
        return np.log10(probe.profile.norms)


def _with_norm(runs: Mapping[Design, Run], drawn: Mapping[Design, dict[str, object]]) -> dict[str, object] | None:
    """The same networks with batch norm, where both were recorded."""
    if len(runs) < len(DESIGNS):
        return None
    rows: dict[str, object] = {
        design: {"name": different(from_query(run.card["spec"])[0]), "error": run.epochs[-1].train_error, **drawn[design]}
        for design, run in runs.items()
    }
    run = runs["plain"]
    return {**rows, "answer": norm_answer(runs), "when": f"epoch {len(run.epochs)} of {run.card['epochs']}"}
