"""How much of the answer is there already at the end of each earlier stage?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from resviz.data.images import ImageSet
from resviz.nets.unit import Net
from resviz.probes.inside import hooked
from resviz.zoo.classifier import Classifier
from resviz.zoo.readouts import LinearReadout

__all__ = ["early_units", "fitted_readouts"]


def early_units(net: Net) -> tuple[str, ...]:
    """The last unit of every stage but the last one, whose answer the network's own head reads."""
    names = [name for name, _ in net.units()]
    ends = [[name for name in names if name.startswith(f"{stage}.")][-1:] for stage, _ in net.stages()]
    return tuple(end[0] for end in ends if end)[:-1]


@torch.inference_mode()
def _pooled(classifier: Classifier, images: ImageSet, size: int = 64) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.int64]]:
    """For each early unit what it returns, averaged over places: (N, channels); and the labels (N,)."""
    net = classifier.fast_view()
    ends, units = early_units(net), dict(net.units())
    found: dict[str, list[NDArray[np.float32]]] = {end: [] for end in ends}

    def collect(end: str) -> RemovableHandle:
        def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            found[end].append(output.mean((2, 3)).cpu().numpy())

        return units[end].register_forward_hook(keep)

    device = next(net.parameters()).device
    with hooked(*map(collect, ends)):
        for x, _ in images.batches(size):
            net(x.to(device))
    return {end: np.concatenate(parts) for end, parts in found.items()}, images.labels.numpy()


def fitted_readouts(classifier: Classifier, train: ImageSet, test: ImageSet) -> tuple[dict[str, LinearReadout], dict[str, float]]:
    """Multinomial logistic regression on pooled features of training pictures, and its error in percent on held-out ones, by unit."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (features, labels), (shown, truth) = _pooled(classifier, train), _pooled(classifier, test)
    readouts, errors = {}, {}
    for unit, values in features.items():
        scaler, model = StandardScaler(), LogisticRegression(C=0.1, max_iter=400)
        make_pipeline(scaler, model).fit(values, labels)
        weights = model.coef_ / scaler.scale_
        biases = model.intercept_ - weights @ scaler.mean_
        readouts[unit] = weights.astype(np.float32), biases.astype(np.float32)
        errors[unit] = 100 * float(((shown[unit] @ weights.T + biases).argmax(1) != truth).mean())
    return readouts, errors
