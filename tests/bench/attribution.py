"""Attributions of ours beside the straightforward Captum call of the same method on the same network, ResNet-50 at 224 px."""

from __future__ import annotations

import copy
import ctypes
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from PIL import Image
from torch import nn

from resviz.attribution.batch_size import timings_of
from resviz.attribution.methods.table import METHODS
from resviz.attribution.question import Asked, Case, ask, attribute
from resviz.data.uploads import sample_photographs
from resviz.nets.build import build
from resviz.spec.presets import PRESETS
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import Classifier, Preprocessing

__all__ = ["attribution_rows"]

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TARGET = 281


def classifier() -> Classifier:
    """Random weights, with batch norms that have something to fold: what a pass costs does not depend on what was learned."""
    net = build(PRESETS["resnet50"]).train().requires_grad_(False)
    crop = Preprocessing(232, 224, _MEAN, _STD)
    for picture in sample_photographs().values():
        net(crop.tensor(picture))
    return Classifier("resnet50", net.eval().requires_grad_(True), crop, tuple(map(str, range(1000))), "bench")


def picture() -> Image.Image:
    return sample_photographs()["Cat"]


def theirs(method: str, net: nn.Module, x: torch.Tensor, target: int = _TARGET) -> np.ndarray:
    """The call that Captum's tutorials make."""
    torch.manual_seed(0)
    if method == "integrated-gradients":
        found = IntegratedGradients(net).attribute(x, target=target, n_steps=50)
    elif method == "smoothgrad":
        found = NoiseTunnel(Saliency(net)).attribute(
            x, nt_type="smoothgrad", nt_samples=25, stdevs=0.15 * float(x.max() - x.min()), target=target, abs=False
        )
    elif method == "occlusion":
        with torch.no_grad():
            found = Occlusion(net).attribute(x, sliding_window_shapes=(3, 32, 32), strides=(3, 16, 16), target=target) / 3
    elif method == "saliency":
        return Saliency(net).attribute(x, target=target)[0].amax(0).double().numpy()
    else:
        found = LayerGradCam(net, net.get_submodule("layer4.2")).attribute(x, target=target)
        found = LayerAttribution.interpolate(found, x.shape[-2:], interpolate_mode="bilinear")
    values: np.ndarray = found.detach().sum(1)[0].double().numpy()
    return values


def gradcam_library(net: nn.Module, x: torch.Tensor) -> np.ndarray:
    """pytorch-grad-cam's call from its README; it clips at zero and scales to 1."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with GradCAM(model=net, target_layers=[net.get_submodule("layer4.2")]) as cam:
        values: np.ndarray = cam(input_tensor=x, targets=[ClassifierOutputTarget(_TARGET)])[0]
    return values


def _asked(method: str) -> Asked:
    return Asked(method, values={"occlusion": {"window": 32}, "rise": {"samples": 100}}.get(method, {}))


def calls(method: str) -> list[Callable[[], np.ndarray]]:
    """Ours, Captum's default and one more to compare with, if there is one; each side runs one of them."""
    made, asked = classifier(), _asked(method)
    x, case = made.preprocessing.tensor(picture()), Case(made, picture(), _TARGET)
    found = [lambda: attribute(case, asked).values, lambda: theirs(method, made.net, x)]
    if method == "grad-cam":
        found.append(lambda: gradcam_library(made.net, x))
    if method == "occlusion":
        found.append(lambda: half(made, x))
    return found


def half(made: Classifier, x: torch.Tensor) -> np.ndarray:
    """Occlusion in bfloat16."""
    from resviz.attribution.method import Score, Setting

    with torch.autocast("cpu", torch.bfloat16):
        setting = Setting(
            Score(made.fast_view(), _TARGET),
            x.contiguous(memory_format=torch.channels_last),
            METHODS["occlusion"].defaults(224) | {"window": 32},
        )
        return METHODS["occlusion"].run(setting).values


def error(a: np.ndarray, b: np.ndarray) -> float:
    """Relative L2."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def limit_ratio(method: str, rounds: int) -> tuple[float, str]:
    """(median, words) of our call's time over passes × a picture's share of the best bare pass of the same frozen network.

    The bare pass has everything ours has (folded, fused, channels-last, the allocator told) and nothing else to do; its batch is the
    fastest of those that fit into the memory that ours may take. Both are timed in turn in one process.
    """
    made, asked, entry = classifier(), _asked(method), METHODS[method]
    case = Case(made, picture(), _TARGET)
    question = ask(case, asked)
    views = [made.fast_view(fused=fused) for fused in (True, False)]
    for _ in range(8):  # the batch size tries its neighbours, each of which tries its own
        attribute(case, asked)
    sizes = [(view, n) for view in views for n in timings_of(view.spec, question.x.shape[-1], entry.backward).sizes]
    net, size = min(sizes, key=lambda pair: min(_bare(*pair, question.x, entry.backward) / pair[1] for _ in range(3)))
    ratios = []
    for _ in range(rounds):
        bare = [_bare(net, size, question.x, entry.backward) / size for _ in range(max(2, 16 // size))]
        start = time.perf_counter()
        attribute(case, asked)
        took = time.perf_counter() - start
        bare += [_bare(net, size, question.x, entry.backward) / size for _ in range(max(2, 16 // size))]
        ratios.append(took / (question.expected * statistics.median(bare)))
    return statistics.median(ratios), f"{question.expected} passes, bare ones in batches of {size}"


def _bare(net: nn.Module, size: int, x: torch.Tensor, backward: bool) -> float:
    """Seconds of one forward, or forward and backward, pass of so many pictures."""
    inputs = x.repeat(size, 1, 1, 1).contiguous(memory_format=torch.channels_last).requires_grad_(backward)
    start = time.perf_counter()
    with torch.set_grad_enabled(backward):
        score = net(inputs)[:, _TARGET].sum()
        if backward:
            torch.autograd.grad(score, inputs)
    return time.perf_counter() - start


def _serve(method: str, side: int, pipe: Connection) -> None:
    call = calls(method)[side]
    found = [call() for _ in range(3)][-1]  # the batch size tries its neighbours
    pipe.send(found)
    while pipe.recv():
        start = time.perf_counter()
        call()
        pipe.send(time.perf_counter() - start)


def compared(method: str, rounds: int, sides: tuple[int, int] = (0, 1)) -> tuple[float, float]:
    """(median ratio of alternating runs after three warm-ups, relative L2 error) of two of a method's `calls`.

    Each in a process of its own, since ours tunes the allocator of its process.
    """
    context = get_context("spawn")
    pipes, workers, found = [], [], []
    for side in sides:
        near, far = context.Pipe()
        pipes.append(near)
        workers.append(context.Process(target=_serve, args=(method, side, far), daemon=True))
        workers[-1].start()
        found.append(near.recv())
    ratios = []
    for i in range(rounds):
        times = [0.0, 0.0]
        for which in (0, 1) if i % 2 else (1, 0):
            pipes[which].send(True)
            times[which] = pipes[which].recv()
        ratios.append(times[0] / times[1])
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(False)
        worker.join()
    return statistics.median(ratios), error(found[0], found[1])


def trained_error(method: str) -> float:
    """The largest relative L2 difference from Captum's default call on a network that was trained."""
    made, worst = load_bundled("resnet18-imagenette"), 0.0
    for shown in sample_photographs().values():
        ours = attribute(Case(made, shown, 1), Asked(method)).values
        worst = max(worst, error(ours, theirs(method, copy.deepcopy(made.net), made.preprocessing.tensor(shown), 1)))
    return worst


def _peak(pipe: Connection, mine: bool) -> None:
    call = calls("integrated-gradients")[0 if mine else 1]
    attribute(Case(classifier(), picture(), _TARGET), Asked("grad-cam")) if mine else theirs("saliency", *_one())
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the kernel's high-water mark starts anew
    before = _status("VmRSS")
    call()
    pipe.send(_status("VmHWM") - before)


def _status(field: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def _one() -> tuple[nn.Module, torch.Tensor]:
    made = classifier()
    return made.net, made.preprocessing.tensor(picture())


def peak(mine: bool) -> float:
    """MB that Integrated Gradients adds to the peak of a process that has made one explanation before."""
    near, far = get_context("spawn").Pipe()
    worker = get_context("spawn").Process(target=_peak, args=(far, mine))
    worker.start()
    found: float = near.recv()
    worker.join()
    return found


def attribution_rows() -> Iterator[tuple[str, float, float]]:
    """Name, figure and limit of each line; the peaks are measured on Linux."""
    for method, title, rounds in (
        ("integrated-gradients", "Integrated Gradients, 50 steps", 5),
        ("smoothgrad", "SmoothGrad, 25 samples", 7),
        ("occlusion", "Occlusion, 32/16", 5),
        ("rise", "RISE, 100 masks", 5),
    ):
        ratio, words = limit_ratio(method, rounds)
        yield f"{title} / this machine's limit ({words}), ResNet-50, 224 px", ratio, 1.08
    for method, title, rounds in (
        ("integrated-gradients", "Integrated Gradients, 50 steps", 3),
        ("smoothgrad", "SmoothGrad, 25 samples", 3),
        ("occlusion", "Occlusion, 32/16", 3),
        ("grad-cam", "Grad-CAM", 21),
    ):
        ratio, off = compared(method, rounds)
        # what Captum's default takes turns on what page faults cost that minute, so only Grad-CAM's has a limit
        yield f"{title} / Captum's default call, ResNet-50, 224 px", ratio, 1.0 if method == "grad-cam" else float("inf")
        if method == "occlusion" or method == "grad-cam":
            yield "  relative L2 error", off, 2e-3
        else:  # gradients of random weights turn on every rounding at a ReLU: channels-last alone moves SmoothGrad by 0.7 %
            yield "  relative L2 error on the bundled ResNet-18, the worst of seven photographs", trained_error(method), 2e-3
    ratio, _ = compared("grad-cam", 21, (0, 2))
    yield "Grad-CAM / pytorch-grad-cam", ratio, 0.5
    mine, default = peak(True), peak(False)
    yield f"Integrated Gradients' peak memory / default call's ({mine:.0f} MB / {default:.0f} MB)", mine / default, 0.2
    if torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2"):
        return  # bfloat16 would be emulated, some ten times slower
    ratio, off = compared("occlusion", 3, (2, 0))
    yield f"Occlusion in bfloat16 / in fp32 (its error {100 * off:.1f} %; not offered)", ratio, float("inf")


if __name__ == "__main__":
    for row in attribution_rows():
        print("{:90} {:7.4f}  (at most {})".format(*row), flush=True)
