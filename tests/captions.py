"""What is said of many networks before training, with the numbers behind it: `python -m tests.captions` prints the table."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
from torch import nn

from resviz.data.images import probe_batch
from resviz.figures.captions import gradient_note
from resviz.judgement import judge
from resviz.machine import fitting_threads
from resviz.nets.build import build
from resviz.probes.gradients import gradient_probe
from resviz.results import Judgement
from resviz.spec.names import describe
from resviz.spec.net import Activation, Block, Init, NetSpec, Norm, Shortcut
from resviz.spec.presets import PRESETS, cifar_blocks

__all__ = ["SETTINGS", "naive", "said"]

SIDE, BATCH = 8, 64  # as the Gradients page takes them


def _deep(depth: int, block: Block = Block.BASIC, **changes: object) -> NetSpec:
    return replace(NetSpec(block=block, blocks=cifar_blocks(depth, block)), **changes)


def _settings() -> dict[NetSpec, str]:
    """Each network with the kind of its profile."""
    r20, r56, r110 = (PRESETS[f"resnet{depth}"] for depth in (20, 56, 110))
    none, group = {"norm": Norm.NONE}, {"norm": Norm.GROUP}
    pytorch, xavier, gamma = ({"init": init} for init in (Init.PYTORCH, Init.XAVIER, Init.ZERO_GAMMA))
    gelu, tanh, sigmoid = ({"activation": act} for act in (Activation.GELU, Activation.TANH, Activation.SIGMOID))
    names = list(r56.block_names())
    bottleneck = _deep(164, Block.BOTTLENECK, shortcut=Shortcut.B, **none, **pytorch)
    small = _deep(20, Block.BOTTLENECK, shortcut=Shortcut.B)
    return {
        r20: "level", r20.plain(): "level", r56: "level", r56.plain(): "explodes", r110: "level", r110.plain(): "explodes",
        replace(r56, **xavier): "level", replace(r56, **pytorch).plain(): "explodes", replace(r56, **group): "level",
        replace(r56, **group).plain(): "level", replace(r110, **group).plain(): "level",
        # no norm: with skips the signal runs away or holds, without it dies
        replace(r20, **none): "level", replace(r20, **none).plain(): "level", replace(r20, **none, **xavier).plain(): "gone",
        replace(r20, **none, **pytorch): "level", replace(r20, **none, **pytorch).plain(): "vanishes",
        replace(r56, **none): "level", replace(r56, **none).plain(): "gone",
        replace(r56, **none, **xavier): "level", replace(r56, **none, **xavier).plain(): "gone",
        replace(r56, **none, **pytorch): "level", replace(r56, **none, **pytorch).plain(): "vanishes",
        replace(r110, **none): "level", replace(r110, **none).plain(): "gone",
        replace(r110, **none, **xavier).plain(): "gone", replace(r110, **none, **pytorch).plain(): "vanishes",
        replace(r110, **none, **gelu): "level", replace(r110, **none, **gelu).plain(): "gone",
        replace(r56, **none, **gelu).plain(): "gone",
        _deep(302, **none): "level", _deep(302, **none).plain(): "gone",
        # other activations
        replace(r56, **gelu): "level", replace(r56, **tanh): "explodes", replace(r56, **none, **tanh).plain(): "level",
        replace(r56, **sigmoid): "vanishes", replace(r56, **none, **sigmoid).plain(): "vanishes",
        # zeros by construction
        replace(r56, **gamma): "bypassed", replace(r56, **gamma).plain(): "zero",
        replace(r56, **gamma, cut=frozenset(names[:1])): "zero", _deep(56, Block.PREACT_BASIC, **gamma): "bypassed",
        replace(r56, dropped=frozenset(names[1::2])): "level", replace(r56, dropped=frozenset(names)): "bypassed",
        replace(small, cut=frozenset({"layer2.0"})): "level",
        # some skips, all of them cut
        replace(r56, cut=frozenset(names[1::2])): "explodes", replace(r56, cut=frozenset(names[:14])): "explodes",
        replace(r56, cut=frozenset(names)): "explodes",
        # the classifier is no reference
        bottleneck: "level", bottleneck.plain(): "vanishes", PRESETS["resnet164"]: "explodes", _deep(56, Block.PREACT_BASIC): "level",
    }  # fmt: skip


SETTINGS = _settings()


@cache
def said(spec: NetSpec) -> tuple[str, Judgement]:
    """The caption, and the numbers behind it, as the page and the command line make them."""
    with fitting_threads(SIDE):
        probe = gradient_probe(build(spec).train(), *probe_batch(BATCH, spec.in_channels, SIDE, spec.classes))
    return gradient_note(spec, probe), judge(probe.profile, spec, probe.signal)


def naive(spec: NetSpec) -> tuple[dict[str, float], float]:
    """Every layer's gradient norm by PyTorch's own backward pass, squares added up in fp64, and the loss."""
    net = build(spec).train()
    images, targets = probe_batch(BATCH, spec.in_channels, SIDE, spec.classes)
    with fitting_threads(SIDE):
        loss = nn.functional.cross_entropy(net(images), targets)
        loss.backward()
    weights = {name: m.weight for name, m in net.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    norms = {name: 0.0 if w.grad is None else math.sqrt(float((w.grad.double() ** 2).sum())) for name, w in weights.items()}
    return norms, loss.item()


def main() -> None:
    for n, spec in enumerate(SETTINGS, 1):
        note, judged = said(spec)
        (first, a), (last, b), (low, c), (high, d) = judged.first, judged.reference, judged.smallest, judged.largest
        print(f"{n:2}. {describe(spec)}\n    {note}")
        zeros = {reason: len(names) for reason, names in judged.zeros.items()}
        forward = "" if judged.forward is None else f", std {judged.forward[0]:.2g} → {judged.forward[1]:.2g}"
        print(
            f"    {judged.kind}: {first} {a:.3g}, {last} {b:.3g}, ratio {judged.ratio:.3g}, least {c:.2g} ({low}), most {d:.2g} ({high}), "
            f"{judged.under} of {judged.layers} next to nothing, zeros {zeros or 'none'}, loss {judged.loss:.3g} of {np.log(spec.classes):.3g}{forward}"
        )


if __name__ == "__main__":
    main()
