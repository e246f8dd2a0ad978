"""A figure as a notebook that makes it again: what is built, what goes in, what is measured, and the picture; for Jupyter and Colab."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from resviz.spec.families import Network, side_of
from resviz.spec.lab import LabPlan, plan_to_query
from resviz.spec.names import describe
from resviz.spec.query import to_query_string
from resviz.version import __version__

__all__ = ["build_notebook", "explain_notebook", "gradients_notebook", "lab_notebook"]

_NEEDS: Final = f"""# ResViz {__version__}: pip install the wheel, or a checkout ("pip install ." in it); one CPU is enough
from dataclasses import replace
import json

import numpy as np
import resviz
import torch"""
_SPEC: Final = """from resviz.spec.query import from_query

spec, problems = from_query({query!r})  # the part of a page's link that names the network
assert not problems, problems"""
_TABLE: Final = """import pandas as pd

table = resviz.summary(spec, {side})  # pixels of the image's side
pd.DataFrame([vars(row) for row in table.rows])[["name", "kind", "in_shape", "out_shape", "params", "macs", "receptive_field"]]"""
_TOTALS: Final = """print(json.dumps({"parameters": table.params, "MACs": table.macs}))"""
_SHOW: Final = "resviz.show(spec)"
_PROBES: Final = """from resviz.data.datasets import probed

images, targets = probed(spec, {size}, {side})  # what the page sends through both networks
nets = {{"residual": replace(spec, residual=True), "plain": spec.plain()}}
probes = {{design: resviz.gradient_probe(resviz.build(each).train(), images, targets) for design, each in nets.items()}}
profiles = {{design: probe.profile for design, probe in probes.items()}}"""
_PROFILE_NUMBERS: Final = """from resviz.figures.captions import comparison

print(comparison(probes, nets))
print(json.dumps({design: profile.norms.tolist() for design, profile in profiles.items()}))"""
_PROFILE: Final = """from resviz.figures.axes import log_range
from resviz.figures.chart import to_plotly
from resviz.figures.gradients import gradient_profiles

decades = log_range(np.concatenate([profile.norms for profile in profiles.values()]), 0, 0)
to_plotly(gradient_profiles(profiles, decades))"""
_LAB: Final = """from resviz.data.datasets import sets_of
from resviz.spec.lab import plan_from_query
from resviz.training.lab import Lab

plan, problems = plan_from_query({query!r})  # contenders, data, recipe, seed, and every change at its step
lab = Lab(plan, lambda: sets_of(plan))
for _ in range({steps}):
    lab.advance()
record = lab.record()"""
_LAB_NUMBERS: Final = """from resviz.figures.captions import lab_note

print(lab_note(record, record.step))
print(json.dumps({track.label: track.gradients[-1].tolist() for track in record.tracks}))"""
_LAB_FIGURE: Final = """from resviz.figures.chart import to_plotly
from resviz.figures.lab import gradient_decades, layer_lines

to_plotly(layer_lines(record, "gradients", record.step, gradient_decades(record)))"""
_CASE: Final = """from resviz.data.uploads import sample_photographs

classifier = resviz.load_bundled({model!r})
photograph = sample_photographs()[{photo!r}]  # or PIL.Image.open("your.jpg")
target = classifier.categories.index({target!r})
photograph"""
_MAPS: Final = """maps = {{
    name: resviz.attribute(resviz.Case(classifier, photograph, target), resviz.Asked.of(name))
    for name in {methods!r}
}}
print(json.dumps({{name: float(np.abs(each.values).sum()) for name, each in maps.items()}}))"""
_MAPS_FIGURE: Final = """import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, len(maps) + 1, figsize=(3 * (len(maps) + 1), 3.2))
axes[0].imshow(classifier.preprocessing.seen(photograph))
for place, (name, each) in zip(axes[1:], maps.items()):
    most = np.abs(each.values).max()
    place.imshow(each.values, cmap="PuOr_r", vmin=-most, vmax=most)
    place.set_title(name)
for place in axes:
    place.axis("off")"""


def build_notebook(spec: Network) -> bytes:
    """The network's layers, and its diagram, profile and maps."""
    side = side_of(spec, 32, 224)
    return _notebook(describe(spec), [_named(spec), _TABLE.format(side=side), _TOTALS, _SHOW])


def gradients_notebook(spec: Network, size: int, side: int) -> bytes:
    """Every layer's gradient with skips and without, of the page's batch of `size` on a side of `side` pixels."""
    cells = [_named(spec), _PROBES.format(size=size, side=side), _PROFILE_NUMBERS, _PROFILE]
    return _notebook(f"The gradient of every layer: {describe(spec)}", cells)


def lab_notebook(plan: LabPlan, steps: int) -> bytes:
    """A lab's run up to a step, with every change that was made."""
    return _notebook(
        "Networks that learn side by side", [_LAB.format(query=plan_to_query(plan), steps=steps), _LAB_NUMBERS, _LAB_FIGURE]
    )


def explain_notebook(model: str, photo: str, target: str, methods: Sequence[str]) -> bytes:
    """A bundled network's evidence in one of the samples, by methods that may carry their layer, `grad-cam@layer3.1`."""
    cells = [_CASE.format(model=model, photo=photo, target=target), _MAPS.format(methods=list(methods)), _MAPS_FIGURE]
    return _notebook(f"Which pixels decided: {photo}, asked of {model}", cells)


def _named(spec: Network) -> str:
    return _SPEC.format(query=to_query_string(spec))


def _notebook(title: str, cells: Sequence[str]) -> bytes:
    """In nbformat 4.5; the same text has the same cells' ids."""
    written: list[dict[str, object]] = [{"cell_type": "markdown", "id": _id(title), "metadata": {}, "source": f"# {title}"}]
    written += [
        {"cell_type": "code", "id": _id(text), "metadata": {}, "source": text, "execution_count": None, "outputs": []}
        for text in (_NEEDS, *cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": written,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False).encode()


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
