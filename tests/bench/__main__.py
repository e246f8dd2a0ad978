"""`make bench`: ratios measured side by side in one run, printed as a table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torchinfo
import torchvision

from resviz.data.images import noise_batch
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.probes.gradients import gradient_probe
from resviz.spec.families import ALL_PRESETS
from resviz.spec.presets import PRESETS
from resviz.training.arithmetic import choose
from tests.bench.anatomy import anatomy_rows
from tests.bench.attribution import attribution_rows
from tests.bench.browser import cut_latency, first_pages, widget_latency
from tests.bench.lab import lab_ratio
from tests.bench.plane import plane_pace
from tests.bench.surroundings import surrounding_rows
from tests.bench.throughput import throughput
from tests.bench.transfer import transfer_rows
from tests.bench.watch import watch_rows


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> float:
    """Median of the ratios of alternating runs, after one warm-up of each."""
    ours(), theirs()
    ratios = []
    for i in range(rounds):
        times = {}
        for call in (ours, theirs) if i % 2 else (theirs, ours):
            start = time.perf_counter()
            call()
            times[call] = time.perf_counter() - start
        ratios.append(times[ours] / times[theirs])
    return statistics.median(ratios)


def profile_ratio(name: str, side: int, batch: int, rounds: int) -> float:
    spec = ALL_PRESETS[name]
    net = build(spec).train()
    x, y = noise_batch(batch, spec.in_channels, side, spec.classes)
    weights = [p for p in net.parameters() if p.dim() > 1]

    def bare() -> object:
        return torch.autograd.grad(torch.nn.functional.cross_entropy(net(x), y), weights)

    return ratio(lambda: gradient_probe(net, x, y), bare, rounds)


def table_ratio(name: str, rounds: int) -> float:
    spec = ALL_PRESETS[name]
    with torch.device("meta"):
        reference = torchvision.models.get_model(name)
    return ratio(
        lambda: (layer_table.cache_clear(), layer_table(spec, 224)),
        lambda: torchinfo.summary(reference, (1, 3, 224, 224), verbose=0, device="meta"),
        rounds,
    )


def main() -> None:
    spec = PRESETS["resnet152"]
    rows = [
        ("gradient profile / bare pass, ResNet-110, 32 px, batch 64", profile_ratio("resnet110", 32, 64, 31), 1.05),
        ("gradient profile / bare pass, ResNet-50, 224 px, batch 4", profile_ratio("resnet50", 224, 4, 25), 1.05),
        ("build / torchvision, ResNet-152", ratio(lambda: build(spec), torchvision.models.resnet152, 9), 1.0),
        ("gradient profile / bare pass, DenseNet-100 k=12, 32 px, batch 8", profile_ratio("densenet100_k12", 32, 8, 15), 1.05),
        ("gradient profile / bare pass, ViT-S/16, 224 px, batch 2", profile_ratio("vit_s_16", 224, 2, 15), 1.05),
        ("layer table / torchinfo, ResNet-152", table_ratio("resnet152", 5), 0.06),
        ("layer table / torchinfo, DenseNet-201", table_ratio("densenet201", 5), 0.1),
        ("layer table / torchinfo, ViT-B/16", table_ratio("vit_b_16", 9), 0.1),
    ]
    for name, value, limit in rows:
        _print(name, value, limit)
    ours, naive = throughput()
    way = choose(PRESETS["resnet20"], 32, 128)
    limit = 0.45 if way.precision == "bfloat16" else 0.9
    print(f"  training here: {way.describe()}; {way.why}")
    _print(f"ResNet-20 training epoch / naive fp32 DataLoader loop ({ours:.2f} s / {naive:.2f} s)", ours / naive, limit)
    for side, rounds in ((8, 9), (32, 2)):
        step, recording = lab_ratio(side, plain=False, rounds=rounds)
        _print(f"lab step, recording included / PyTorch step, ResNet-56, {side} px", step, 1.1)
        _print(f"what recording adds to a step, ResNet-56, {side} px", recording, 0.05)
    _print("lab step / PyTorch step, residual and plain-56 without norm, 8 px", lab_ratio(8, plain=True, rounds=9)[0], 1.1)
    for name, value, limit in (
        *surrounding_rows(ratio),
        *anatomy_rows(ratio),
        *attribution_rows(),
        *transfer_rows(ratio),
        *watch_rows(),
    ):
        _print(name, value, limit)
    title, stage, line = first_pages()
    _print(f"first page of a cold server / one-line app ({title:.0f} ms / {line:.0f} ms)", title / line, 1.3)
    _print(f"Home's stage with skips to click, on a cold server / one-line app ({stage:.0f} ms)", stage / line, 1.3)
    step, drawing = plane_pace()
    _print("two MLP-30 on points, in the page: ms a step", step, 50)
    _print("the same: ms between two drawings of both boundaries", drawing, 200)
    one = widget_latency()
    click, compute = cut_latency()
    _print(f"ResNet-56, cut a skip: {click:.0f} ms to the redrawn figure - {compute:.0f} ms computing, ms", click - compute, 100)
    _print(f"the same beside a page of one widget ({one:.0f} ms)", (click - compute) / one, 3.0)


def _print(name: str, value: float, limit: float) -> None:
    print(f"{name:90} {value:7.4f}  (at most {limit})  {'ok' if value <= limit else 'OVER'}", flush=True)


if __name__ == "__main__":
    main()
