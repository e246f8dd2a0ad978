"""A checkpoint file of the visitor's own: read safely, recognised by its keys and shapes."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from resviz.data import CIFAR_MEAN, CIFAR_STD, IMAGENET_MEAN, IMAGENET_STD
from resviz.nets.resnet import ResNet, skeleton
from resviz.spec import Block, NetSpec, Norm, Shortcut, SpecError, Stem
from resviz.zoo.classifier import Classifier, Preprocessing

__all__ = ["CIFAR10_CATEGORIES", "CheckpointError", "infer_spec", "load", "load_into", "read_state"]

CIFAR10_CATEGORIES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class CheckpointError(ValueError):
    """A file that holds no network of this family; the message says what is missing."""


def read_state(data: bytes, name: str) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file or of a `torch.save` file, with wrappers and prefixes taken off.

    Raises `CheckpointError`; nothing in the file is ever executed (`weights_only`).
    """
    try:
        if name.endswith(".safetensors"):
            from safetensors.torch import load as load_safetensors

            found: object = load_safetensors(data)
        else:
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # each reader has its own exceptions for a broken or hostile file
        raise CheckpointError(
            f"{name} cannot be read as weights ({type(error).__name__}); save a state_dict with torch.save or safetensors"
        ) from error
    for wrapper in ("state_dict", "model", "net", "model_state_dict"):
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping):
        raise CheckpointError(f"{name} holds a {type(found).__name__}, not a state_dict; save model.state_dict()")
    tensors = {str(key): value for key, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{name} holds no tensors; save model.state_dict()")
    return {_clean(key): value for key, value in tensors.items()}


def _clean(key: str) -> str:
    key = re.sub(r"^(module\.|model\.|_orig_mod\.)+", "", key)
    key = re.sub(r"^linear\.", "fc.", key)
    return key.replace(".shortcut.", ".downsample.")


def infer_spec(state: Mapping[str, Tensor]) -> NetSpec:
    """The network these tensors belong to: depth, block, shortcut, norm, width, classes. Raises `CheckpointError`.

    A plain network has the same tensors as one with option A skips; it is taken for the residual one.
    """
    needed = ("conv1.weight", "layer1.0.conv1.weight", "layer1.0.conv2.weight", "fc.weight")
    if missing := [key for key in needed if key not in state]:
        raise CheckpointError(
            f"this is no ResNet: {missing[0]!r} is missing and {min(state)!r} is there; name layers as torchvision does"
        )
    counts: dict[int, int] = {}
    for key in state:
        if match := re.match(r"layer(\d)\.(\d{1,3})\.", key):
            stage, index = int(match[1]), int(match[2])
            counts[stage] = max(counts.get(stage, 0), index + 1)
    preact = "bn1.weight" not in state and "layer1.0.bn1.weight" in state
    bottleneck = "layer1.0.conv3.weight" in state
    width, in_channels, kernel, _ = state["conv1.weight"].shape
    projections = [key for key in state if key.endswith("downsample.0.weight")]
    groups, width_per_group = 1, 64
    if bottleneck:
        out = state["layer1.0.conv3.weight"].shape[0]
        mid, in_group = state["layer1.0.conv2.weight"].shape[:2]
        groups = mid // in_group
        width_per_group = round(mid / groups * 64 / (out // 4))
    norm = Norm.NONE
    if any(key.endswith("running_mean") for key in state):
        norm = Norm.BATCH
    elif "layer1.0.bn1.weight" in state:
        norm = Norm.GROUP
    shortcut = Shortcut.A if not projections else Shortcut.C if len(projections) == sum(counts.values()) > 1 else Shortcut.B
    names = {(False, False): Block.BASIC, (False, True): Block.BOTTLENECK}
    names |= {(True, False): Block.PREACT_BASIC, (True, True): Block.PREACT_BOTTLENECK}
    try:
        return NetSpec(
            block=names[preact, bottleneck],
            blocks=tuple(counts[stage] for stage in sorted(counts)),
            stem=Stem.IMAGENET if kernel == 7 else Stem.CIFAR,
            width=width,
            shortcut=shortcut,
            norm=norm,
            classes=state["fc.weight"].shape[0],
            in_channels=in_channels,
            groups=groups,
            width_per_group=width_per_group,
        )
    except SpecError as error:
        raise CheckpointError(f"this checkpoint is no network that can be built here: {error}") from error


def load_into(spec: NetSpec, state: Mapping[str, Tensor]) -> ResNet:
    """The spec's network with these weights in fp32, in eval mode; a mismatch names the first keys that differ."""
    net = skeleton(spec)
    wanted = net.state_dict()
    counters = {key for key in wanted if key.endswith("num_batches_tracked")}
    given = {key: value for key, value in state.items() if key not in counters}
    missing, unexpected = sorted(wanted.keys() - given.keys() - counters), sorted(given.keys() - wanted.keys())
    if missing or unexpected:
        parts = [f"{word} {', '.join(keys[:3])}" for word, keys in (("missing", missing), ("unexpected", unexpected)) if keys]
        raise CheckpointError(f"the checkpoint does not fit: {'; '.join(parts)}")
    for key, value in given.items():
        if value.shape != wanted[key].shape:
            raise CheckpointError(f"{key} has shape {tuple(value.shape)}, expected {tuple(wanted[key].shape)}")
    tensors = {key: value.float() for key, value in given.items()}
    net.load_state_dict(tensors | {key: torch.zeros((), dtype=torch.long) for key in counters}, assign=True)
    return net.eval()


def load(data: bytes, name: str, residual: bool = True) -> Classifier:
    """A visitor's checkpoint as a classifier; class names and preprocessing follow from its classes and its stem."""
    state = read_state(data, name)
    spec = infer_spec(state)
    spec = spec if residual else spec.plain()
    net = load_into(spec, state)
    imagenet = spec.stem is Stem.IMAGENET
    categories: tuple[str, ...] = tuple(f"class {i}" for i in range(spec.classes))
    if spec.classes == 10 and not imagenet:
        categories = CIFAR10_CATEGORIES
    elif spec.classes == 1000:
        from torchvision.models import ResNet50_Weights

        categories = tuple(ResNet50_Weights.IMAGENET1K_V1.meta["categories"])
    preprocessing = (
        Preprocessing(256, 224, IMAGENET_MEAN, IMAGENET_STD) if imagenet else Preprocessing(32, 32, CIFAR_MEAN, CIFAR_STD)
    )
    return Classifier(Path(name).stem, net, preprocessing, categories, f"your file {name}")
