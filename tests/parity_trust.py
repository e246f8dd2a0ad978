"""The metrics of trust beside Quantus's on equal inputs: the same network, pictures, maps and draws; needs requirements-bench.txt."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import quantus
import torch
from quantus.helpers.model.pytorch_model import PyTorchModel
from torch import Tensor, nn

from resviz.attribution.method import Score, Setting
from resviz.attribution.methods.table import METHODS
from resviz.attribution.trust import metrics
from resviz.data.uploads import sample_photographs
from resviz.nets.families.resnet import ResNet
from resviz.zoo.bundled import load_bundled

__all__ = ["EQUAL", "METRICS", "Given", "compare", "given"]

EQUAL = 1e-3
STEPS, SHARES, RADIUS, NUDGES, SAMPLES, MAGNITUDE = 16, tuple(n / 10 for n in range(1, 10)), 0.02, 4, 4, 0.1
QUIET = {"disable_warnings": True, "display_progressbar": False}


class Grey(nn.Module):
    """The network for pictures of one channel: where a map has one, Quantus 0.6 takes a pixel's place for that of an input."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.expand(-1, 3, -1, -1))


@dataclass(frozen=True, eq=False)
class Given:
    """One picture, (1, C, H, W), the class that is explained and another one, a mosaic with the class at `place`, and the network."""

    net: ResNet
    x: Tensor
    target: int
    other: int
    mosaic: Tensor
    place: int

    def explain(self, x: Tensor, target: int | None = None) -> np.ndarray:
        """A signed map that the app makes: Input × Gradient."""
        method = METHODS["input-x-gradient"]
        score = Score(self.net, self.target if target is None else target)
        return np.asarray(method.run(Setting(score, x.float(), method.defaults(x.shape[-1]))).values)

    @property
    def values(self) -> np.ndarray:
        """The map of the picture."""
        return self.explain(self.x)

    @property
    def grey(self) -> tuple[Grey, Tensor]:
        """The network and the picture in one channel."""
        return Grey(self.net), self.x.mean(1, keepdim=True)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The same as Quantus takes it."""
        return {"x_batch": self.x.numpy(), "y_batch": np.array([self.target]), "a_batch": self.values[None, None].copy()}

    def asked(self, model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_: object) -> np.ndarray:
        """The app's map as Quantus asks for one."""
        return self.explain(torch.from_numpy(np.asarray(inputs)), int(targets[0]))[None, None]


def given() -> Iterator[Given]:
    """Every sample photograph, asked of ResNet-20."""
    network = load_bundled("resnet20-cifar10")
    net = network.private_view()
    inputs = [network.preprocessing.tensor(photograph) for photograph in sample_photographs().values()]
    for n, x in enumerate(inputs):
        with torch.no_grad():
            target = int(net(x).argmax())
        tiles = [inputs[(n + 1 + k) % len(inputs)] for k in range(3)]
        tiles.insert(n % 4, x)
        mosaic = torch.cat([torch.cat(tiles[:2], 3), torch.cat(tiles[2:], 3)], 2)
        yield Given(net, x, target, (target + 1 + n) % 10, mosaic, n % 4)


def flipping(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """The whole curve but its first point, which Quantus leaves out."""
    fractions = np.linspace(0, 1, STEPS + 1)
    grey, x = case.grey
    ours = metrics.flipping_curve(grey, (x, torch.zeros_like(x)), case.values, case.target, fractions, 4)
    metric = quantus.PixelFlipping(features_in_step=x.numel() // STEPS, perturb_baseline=0.0, **QUIET)
    return ours[1:], np.array(metric(model=grey, **case.arrays | {"x_batch": x.numpy()})[0])


def road(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """What every share leaves, without noise, which Quantus draws in the order of the map."""
    grey, x = case.grey
    ours = metrics.road(grey, x, case.values, case.target, SHARES, np.random.RandomState(0), 0.0)
    metric = quantus.ROAD(percentages=[round(100 * share) for share in SHARES], noise=0.0, **QUIET)
    found = metric(model=grey, **case.arrays | {"x_batch": x.numpy()})
    return ours.astype(float), np.array(list(found.values()), float)


def imputation(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """The imputed picture, in colour."""
    from quantus.functions.perturb_func import noisy_linear_imputation

    picture = case.x[0].double().numpy()
    order = np.argsort(-case.values, axis=None)[: case.values.size // 2]
    gone = np.zeros(case.values.size, bool)
    gone[order] = True
    ours = metrics.impute(picture, gone.reshape(case.values.shape), np.random.RandomState(0), 0.0)
    return ours, noisy_linear_imputation(picture, order, noise=0.0)


def sensitivity(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """With the same nudges."""
    ours = metrics.max_sensitivity(case.explain, case.x, case.values, RADIUS, NUDGES, np.random.RandomState(0))
    np.random.seed(0)
    metric = quantus.MaxSensitivity(nr_samples=NUDGES, lower_bound=RADIUS, **QUIET)
    return np.array([ours]), np.array(metric(model=case.net, **case.arrays, explain_func=case.asked))


def localisation(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """Quantus's Focus, of a mosaic with one tile of the class."""
    values, side = case.explain(case.mosaic), case.x.shape[-1]
    inside = np.kron(np.eye(4)[case.place].reshape(2, 2), np.ones((side, side))).astype(bool)
    metric = quantus.Focus(**QUIET)
    arrays = case.arrays | {"x_batch": case.mosaic.numpy(), "a_batch": values[None, None].copy()}
    theirs = metric(model=case.net, **arrays, custom_batch=[tuple(np.eye(4, dtype=int)[case.place])])
    return np.array([metrics.localisation(values, inside)]), np.array(theirs)


def sparseness(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """The Gini index."""
    return np.array([metrics.sparseness(case.values)]), np.array(quantus.Sparseness(**QUIET)(model=case.net, **case.arrays))


def complexity(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """The entropy."""
    return np.array([metrics.complexity(case.values)]), np.array(quantus.Complexity(**QUIET)(model=case.net, **case.arrays))


@contextmanager
def drawing(noise: list[np.ndarray]) -> Iterator[None]:
    """Within it, NumPy's own normal numbers are these, again and again."""
    before, again = np.random.randn, itertools.cycle(noise)
    np.random.randn = lambda *_: next(again)
    try:
        yield
    finally:
        np.random.randn = before


def smooth_mprt(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """Layer by layer from the top, with the same noise: the networks are those that Quantus makes."""
    noise = metrics.spread(case.x, MAGNITUDE, SAMPLES, np.random.RandomState(0))
    extent = MAGNITUDE * float(case.x.max() - case.x.min())
    metric = quantus.SmoothMPRT(
        layer_order="top_down", nr_samples=SAMPLES, noise_magnitude=MAGNITUDE, abs=False, normalise=False, **QUIET
    )

    def explain(net: nn.Module) -> Callable[[Tensor], np.ndarray]:
        def explained(x: Tensor) -> np.ndarray:
            made: np.ndarray = quantus.explain(net, x.numpy(), np.array([case.target]), method="InputXGradient")[0, 0]
            return made

        return explained

    randomised = PyTorchModel(case.net).get_random_layer_generator(order="top_down", seed=42)
    ours = metrics.smooth_mprt(explain(case.net), (explain(net) for _, net in randomised), case.x, noise)
    with drawing([each.numpy() / extent for each in noise[:-1]]):
        theirs = metric(
            model=case.net,
            **case.arrays | {"a_batch": None},
            explain_func=quantus.explain,
            explain_func_kwargs={"method": "InputXGradient"},
        )
    return ours, np.array([score[0] for layer, score in theirs.items() if layer != "original"])


def random_logit(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """Of the maps as pictures: by itself Quantus compares them as one row of pixels."""
    from quantus.functions.similarity_func import ssim

    def as_pictures(a: np.ndarray, b: np.ndarray, batched: bool = True) -> list[float]:
        shape = case.values.shape
        return [ssim(one.reshape(shape), other.reshape(shape)) for one, other in zip(a, b, strict=True)]

    def other(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_: object) -> np.ndarray:
        return case.explain(torch.from_numpy(np.asarray(inputs)), case.other)[None, None]

    metric = quantus.RandomLogit(num_classes=10, similarity_func=as_pictures, **QUIET)
    theirs = metric(model=case.net, **case.arrays, explain_func=other)
    return np.array([metrics.random_logit(case.values, case.explain(case.x, case.other))]), np.array(theirs)


def completeness(case: Given) -> tuple[np.ndarray, np.ndarray]:
    """By what share the sum misses the change: Quantus says only whether it is exactly the same, so its own two sides are read."""
    sides: list[float] = []

    def listened(change: np.ndarray) -> np.ndarray:
        sides.append(float(change[0]))
        return change

    metric = quantus.Completeness(perturb_baseline=0.0, normalise=False, output_func=listened, **QUIET)
    grey, x = case.grey
    metric(model=grey, **case.arrays | {"x_batch": x.numpy()}, softmax=False)
    with torch.no_grad():
        change = float((grey(x) - grey(torch.zeros_like(x)))[0, case.target])
    theirs = abs(float(case.values.sum()) - sides[0]) / abs(sides[0])
    return np.array([metrics.completeness(case.values, change)]), np.array([theirs])


METRICS: dict[str, Callable[[Given], tuple[np.ndarray, np.ndarray]]] = {
    "pixel flipping": flipping,
    "ROAD": road,
    "ROAD's imputation": imputation,
    "max-sensitivity": sensitivity,
    "localisation": localisation,
    "sparseness": sparseness,
    "complexity": complexity,
    "sMPRT": smooth_mprt,
    "random logit": random_logit,
    "completeness": completeness,
}


def compare() -> list[str]:
    """Print the table; which metrics differ."""
    cases = list(given())
    print(
        f"\nQuantus {quantus.__version__}, ResNet-20, Input × Gradient, {len(cases)} photographs; means, and the worst difference"
    )
    print(f"{'':18} {'ours':>9} {'Quantus':>9} {'differ':>9}")
    wrong = []
    for name, both in METRICS.items():
        pairs = [both(case) for case in cases]
        worst = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
        ours, theirs = (float(np.mean([np.mean(pair[side]) for pair in pairs])) for side in (0, 1))
        print(f"{name:18} {ours:9.4f} {theirs:9.4f} {worst:9.1e}", flush=True)
        wrong += [] if worst <= EQUAL else [name]
    return wrong
