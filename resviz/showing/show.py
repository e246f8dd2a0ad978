"""A spec or a model in a notebook: its diagram, its gradient after one backward pass, and where its answer comes from."""

from __future__ import annotations

import copy
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from resviz.attribution.method import Score, Setting
from resviz.attribution.methods.table import METHODS
from resviz.data.datasets import probed
from resviz.figures.axes import log_range
from resviz.figures.captions import gradient_note, shown_note, table_note
from resviz.figures.chart import Chart
from resviz.figures.diagram import Diagram, network_diagram, one_box, to_svg
from resviz.figures.gradients import gradient_profiles
from resviz.figures.recording import parts_axis
from resviz.figures.reports.network import network_in_notebook
from resviz.judgement import judge_layers
from resviz.nets.build import build
from resviz.nets.cost import check_memory, layer_table
from resviz.nets.families.resnet import ResNet
from resviz.nets.unit import Net
from resviz.probes.gradients import gradient_probe
from resviz.results import Attribution, GradientProfile, LayerRow, LayerTable
from resviz.showing.batch import batch_for, profile_of
from resviz.showing.restored import restored
from resviz.showing.table import table_of
from resviz.showing.trace import trace
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network, side_of, things_of
from resviz.spec.names import describe

__all__ = ["Shown", "show"]

_SIDE = 224  # px to which smaller pictures are enlarged


@dataclass(frozen=True, eq=False)
class Shown:
    """What `show` drew: a notebook shows it by itself, `save` writes it, and the numbers are in `table`, `profile` and `maps`."""

    title: str
    notes: tuple[str, ...]
    table: LayerTable
    diagram: Diagram
    profile: GradientProfile | None
    chart: Chart | None
    seen: Image.Image | None
    maps: tuple[tuple[str, Attribution], ...]

    @property
    def svg(self) -> str:
        """The diagram as a document of its own."""
        return to_svg(self.diagram, self.title)

    @property
    def html(self) -> str:
        """All of it as a piece of HTML that needs nothing else."""
        return network_in_notebook(self.title, self.notes, self.svg, self.chart, self.seen, self.maps)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all of it as `.html`, or the diagram as `.svg`; raises `ValueError` for another ending."""
        file = Path(path)
        texts = {".html": f"<!doctype html><meta charset=utf-8>{self.html}", ".svg": self.svg}
        if (text := texts.get(file.suffix.lower())) is None:
            raise ValueError(f"{file.name} ends neither in .html nor in .svg")
        file.write_text(text, encoding="utf-8")
        return file

    def _repr_mimebundle_(self, include: Collection[str] | None = None, exclude: Collection[str] | None = None) -> dict[str, str]:
        made = {"text/html": self.html, "text/plain": "\n".join([*self.notes, str(self.table)])}
        return {kind: text for kind, text in made.items() if (include is None or kind in include) and kind not in (exclude or ())}


def show(network: Network | nn.Module, batch: Tensor | None = None, targets: Tensor | None = None) -> Shown:
    """Diagram, gradient profile and maps of a spec, with its initial weights, or of any model, with those that it has.

    A spec, or a network that `build` made, is drawn from its layer table. Of another model the blocks are found by tracing it
    (`torch.fx`, else `torch.export`); what cannot be traced is one box with a note. `batch` is what it reads, (N, …), `targets` (N,) its
    classes; without them it is shown handwritten digits, or numbers drawn from seed 0, of the shape that its first layer reads.
    Maps are drawn where pictures (N, C, H, W) lead to one row of numbers each. The model is afterwards as it was. Raises
    `ValueError` where it does not take the batch, and of what is no network or no batch.
    """
    if batch is not None and not isinstance(batch, Tensor):
        raise ValueError(f"a batch is one tensor of shape (N, …), and not a {type(batch).__name__}")
    if not isinstance(network, nn.Module | Network):
        raise ValueError(
            f"a {type(network).__name__} is no network; give a spec, such as resviz.PRESETS['resnet20'], or an nn.Module"
        )
    if not isinstance(network, nn.Module):
        return _known(build(network).train(), batch, targets)
    if isinstance(network, Net):
        return _known(network, batch, targets)
    with restored(network):
        return _any(network, batch, targets)


def _known(net: Net, batch: Tensor | None, targets: Tensor | None) -> Shown:
    """As the pages do it."""
    spec = cast("Network", net.spec)
    side = side_of(spec, 8, 64) if batch is None else batch.shape[-1]
    size = (16 if side > 32 else 64) if batch is None else len(batch)
    check_memory(spec, side, size)
    images, labels = probed(spec, size, side)
    where = next(net.parameters()).device
    images, labels = (images if batch is None else batch).to(where), (labels if targets is None else targets).to(where)
    table, probe = layer_table(spec, side_of(spec, 32, 224) if batch is None else side), gradient_probe(net, images, labels)
    layer = list(spec.block_names())[-1] if isinstance(net, ResNet) else ""
    pictures = images if things_of(spec) == "images" else None
    return Shown(
        describe(spec),
        (f"**{describe(spec)}**. {table_note(table)}", gradient_note(spec, probe)),
        table,
        network_diagram(table),
        probe.profile,
        _chart(probe.profile, spec.design == "residual", isinstance(spec, DenseSpec)),
        *_maps(net, pictures, layer),
    )


def _any(model: nn.Module, batch: Tensor | None, targets: Tensor | None) -> Shown:
    title = type(model).__name__
    x, first = batch_for(model) if batch is None else batch, next(model.parameters(), None)
    if first is not None:
        x = x.to(first.device, first.dtype if x.is_floating_point() else x.dtype)
    profile, loss, guess, apart = profile_of(model, x, targets)
    found = trace(model, x)
    table, loose = table_of(model, found)
    judged = judge_layers(profile, guess) if profile.names else None
    chart = _chart(profile, any(unit.join for unit in table.units), False) if profile.names else None
    chart = chart and replace(chart, x=parts_axis(profile.names, False))
    rows = [row.name for row in table.rows if len(row.out_shape) == 3 and min(row.out_shape[1:]) > 1 and not row.joins]
    places = [unit.name for unit in table.units if len(unit.handed_on.out_shape) == 3] if table.units else rows
    layer = next((name for name in reversed(places) if name in dict(model.named_modules())), "")
    notes = [shown_note(title, table, loose, judged, loss, apart), *filter(None, [found.note])]
    diagram = network_diagram(table) if any(map(_drawn, table.rows)) else one_box(title, f"{table.params:,} parameters")
    return Shown(title, tuple(notes), table, diagram, profile, chart, *_maps(model, x if x.dim() == 4 else None, layer))


def _drawn(row: LayerRow) -> bool:
    return row.kind.startswith(("conv", "linear"))


_Maps = tuple[Image.Image | None, tuple[tuple[str, Attribution], ...]]


def _chart(profile: GradientProfile, skips: bool, dense: bool) -> Chart:
    return gradient_profiles({"residual" if skips else "plain": profile}, log_range(profile.norms), height=300, dense=dense)


def _maps(model: nn.Module, images: Tensor | None, layer: str) -> _Maps:
    """Saliency, and Grad-CAM where there is a layer to look at, of the first picture and the class that its answer names."""
    if images is None or images.shape[1] not in (1, 3) or not images.is_floating_point():
        return None, ()
    private = copy.deepcopy(model).eval().float().requires_grad_(True)
    x = images[:1].detach().float().clone().requires_grad_()
    with torch.no_grad():
        answer = private(x)
    if not isinstance(answer, Tensor) or answer.dim() != 2:
        return None, ()
    target = int(answer.argmax())
    setting = Setting(Score(cast("ResNet", private), target), x, {}, layer)
    asked = ["saliency", *(["grad-cam"] if layer else [])]
    maps = []
    for name in asked:
        method, evidence = METHODS[name], METHODS[name].run(setting)
        at = layer if method.layer else None
        title = f"{method.title}{f' at {at}' if at else ''}, class {target}"
        maps.append((title, Attribution(name, target, evidence.values, evidence.signed, at)))
    return _picture(images[0]), tuple(maps)


def _picture(x: Tensor) -> Image.Image:
    """What it was shown, (C, H, W), from its darkest to its brightest value."""
    low, high = x.min(), x.max()
    grey = ((x - low) / (high - low).clamp_min(1e-12) * 255).round().byte().cpu().numpy()
    image = Image.fromarray(np.moveaxis(grey, 0, -1) if len(grey) == 3 else grey[0]).convert("RGB")
    return (
        image
        if image.width >= _SIDE
        else image.resize((_SIDE, round(_SIDE * image.height / image.width)), Image.Resampling.NEAREST)
    )
