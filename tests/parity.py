"""`python -m tests.parity`: maps beside pytorch-grad-cam's, metrics of trust beside Quantus's, code beside the networks.

`python -m tests.parity trust` prints the second table alone, `… maps` the first, `… code` the third; the first two need requirements-bench.txt.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn

from resviz.attribution.method import Score, Setting
from resviz.attribution.methods import cam
from resviz.attribution.methods.table import METHODS
from resviz.attribution.question import Asked, Case, attribute
from resviz.data.uploads import sample_photographs
from resviz.nets.inference.folding import folded
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import Classifier

__all__ = ["main"]

LAYER, TARGET, ALL = "layer4.1", 3, 2048
EQUAL = 1e-4  # relative L2, after pytorch-grad-cam's own normalisation
THEIRS = {
    "grad-cam": "GradCAM",
    "layer-cam": "LayerCAM",
    "hires-cam": "HiResCAM",
    "grad-cam-plus-plus": "GradCAMPlusPlus",
    "xgrad-cam": "XGradCAM",
    "eigen-cam": "EigenCAM",
    "score-cam": "ScoreCAM",
    "fullgrad": "FullGrad",
}


def channels(method: str, score: Score, x: Tensor) -> Tensor:
    """What the method makes of the block's channels, (1, C, h, w), before they are summed and enlarged."""
    module = score.net.get_submodule(LAYER)
    output, gradient = cam.output_and_gradient(score, module, x)
    if method == "grad-cam":
        return gradient.mean((2, 3), keepdim=True) * output
    if method == "eigen-cam":
        return cam.eigen_projection(output)
    if method == "score-cam":
        return cam.score_weighted(score, module, x, ALL)
    weigh: Callable[[Tensor, Tensor], Tensor] = getattr(cam, method.replace("-", "_"))
    return weigh(output, gradient)


def ours(method: str, network: Classifier, photograph: Image.Image) -> np.ndarray:
    """The map with what pytorch-grad-cam does to its own: what speaks against is cut off before it is enlarged."""
    from pytorch_grad_cam.utils.image import scale_cam_image

    x = network.preprocessing.tensor(photograph).contiguous(memory_format=torch.channels_last)
    if method == "fullgrad":
        exact = Score(folded(network.private_view().double()), TARGET)  # one of its own: fast views share their weights
        found: np.ndarray = scale_cam_image(cam.full_gradient(exact, x.double())[None])[0]
        return found
    score = Score(network.fast_view(fused=True), TARGET)
    summed = channels(method, score, x).sum(1).numpy()
    found = scale_cam_image(scale_cam_image(np.maximum(summed, 0), x.shape[:1:-1]))[0]
    shown = METHODS[method].run(Setting(score, x, METHODS[method].defaults(x.shape[-1]) | _all(method), LAYER)).values
    enlarged = torch.nn.functional.interpolate(torch.from_numpy(summed)[None], x.shape[-2:], mode="bilinear")[0, 0].numpy()
    assert np.linalg.norm(enlarged - shown) <= 1e-4 * np.linalg.norm(shown), method  # what is compared is what the app shows
    return found


def _all(method: str) -> dict[str, float]:
    return {"strongest": ALL} if method == "score-cam" else {}


def theirs(method: str, net: nn.Module, x: Tensor) -> np.ndarray:
    """The call of pytorch-grad-cam's README."""
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    layers = [] if method == "fullgrad" else [net.get_submodule(LAYER)]
    with getattr(pytorch_grad_cam, THEIRS[method])(model=net, target_layers=layers) as made:
        values: np.ndarray = made(input_tensor=x.clone(), targets=[ClassifierOutputTarget(TARGET)])[0]
    return values


def difference(method: str, network: Classifier, photograph: Image.Image) -> float:
    """Relative L2 between both; the sign of a principal component is left open by its authors."""
    net, x = network.private_view().requires_grad_(True), network.preprocessing.tensor(photograph)
    if method == "fullgrad":  # it pairs gradients with biases by the order in which layers are registered, torchvision's
        plain = torchvision.models.resnet18(num_classes=len(network.categories))
        plain.load_state_dict(net.state_dict())
        expected = theirs(method, plain.double().eval(), x.double())
    else:
        expected = theirs(method, net, x)
    found = ours(method, network, photograph)
    if method == "eigen-cam" and np.corrcoef(found.ravel(), expected.ravel())[0, 1] < 0:
        return float("nan")
    if not expected.any():  # nothing speaks for the class
        return float(np.abs(found).max())
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def ratio(method: str, network: Classifier, photograph: Image.Image) -> float:
    """Median of the ratios of alternating runs, ours over theirs, after one warm-up of each; the whole call on both sides.

    A run is the median of three calls after another one: what NumPy's threads still wait for as theirs ends is not laid to ours.
    """
    net, x = network.private_view().requires_grad_(True), network.preprocessing.tensor(photograph)
    case = Case(network, photograph, TARGET)
    asked = Asked(method, LAYER if METHODS[method].layer else None, _all(method))
    calls = (lambda: attribute(case, asked), lambda: theirs(method, net, x))
    ratios = []
    for n in range(4 if method == "score-cam" else 8):
        took = [_took(call, 1 if method == "score-cam" else 4) for call in calls]
        if n:
            ratios.append(took[0] / took[1])
    return statistics.median(ratios)


def _took(call: Callable[[], object], times: int) -> float:
    """Seconds of a call in a row of so many, the first of several aside."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return statistics.median(took[1:] or took)


def compare() -> list[str]:
    """Print the table of maps; which methods differ."""
    network, photographs, wrong = load_bundled("resnet18-imagenette"), sample_photographs(), []
    print(
        f"{network.name}, {LAYER}, class {TARGET}; every sample's worst relative L2 difference, and time over pytorch-grad-cam's"
    )
    for method in THEIRS:
        shown = list(photographs.values())[: 1 if method == "score-cam" else None]
        differences = [difference(method, network, each) for each in shown]
        known = [each for each in differences if each == each]
        words = f", {len(differences) - len(known)} with the other sign" if len(known) < len(differences) else ""
        worst = max(known, default=0.0)
        print(f"{METHODS[method].title:12} {worst:9.1e}  {ratio(method, network, shown[0]):5.2f}{words}", flush=True)
        wrong += [method] if worst > EQUAL else []
    return wrong


def main(tables: list[str]) -> None:
    """Print the tables that are named, or all; ends with an error where something differs."""
    every = {
        "maps": compare,
        "trust": lambda: import_module("tests.parity_trust").compare(),
        "code": lambda: import_module("tests.parity_code").compare(),
    }
    if unknown := set(tables) - set(every):
        raise SystemExit(f"there is no table {', '.join(sorted(unknown))}; choose from {', '.join(every)}")
    wrong = [name for table, work in every.items() if table in (tables or every) for name in work()]
    if wrong:
        raise SystemExit(f"differ: {', '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
