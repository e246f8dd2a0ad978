"""Which network some tensors belong to, by their names and shapes, and what these leave open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from torch import Tensor

from resviz.guard import quoted
from resviz.nets.families.resnet import Variant
from resviz.spec.net import Activation, Block, NetSpec, Norm, Shortcut, SpecError, Stem
from resviz.zoo.answers import Answers
from resviz.zoo.classifier import Guess
from resviz.zoo.layouts import preactivation
from resviz.zoo.pickles import Stored
from resviz.zoo.read import CheckpointError

__all__ = ["State", "infer", "infer_spec"]

State = Mapping[str, Tensor | Stored]


def infer_spec(state: State) -> NetSpec:
    """The network these tensors belong to, with the defaults for what they cannot say. Raises `CheckpointError`."""
    return infer(state, Answers())[0]


def infer(state: State, answers: Answers) -> tuple[NetSpec, Variant, tuple[Guess, ...]]:
    """The network these tensors belong to, how it departs from the papers, and what they left open."""
    stem, width, channels = _stem(state)
    inner = "conv1" if _REP in state else "conv2"
    for key, dims in (("layer1.0.conv1.weight", 4), (f"layer1.0.{inner}.weight", 4), ("fc.weight", 2)):
        _checked(state, key, dims)
    classes = state["fc.weight"].shape[0]
    if classes < 2:
        raise CheckpointError(
            f"it has {classes} output{'' if classes == 1 else 's'}, so there is no class to tell from another; use a network of two or more"
        )
    norm = _norm(state)
    preact = preactivation(state)
    if norm is Norm.NONE and answers.preact is not None:
        preact = answers.preact
    block = Block.REP if _REP in state else _BLOCKS[preact, "layer1.0.conv3.weight" in state]
    try:
        blocks, (groups, width_per_group) = _counts(state), _grouping(state, block, width)
        base = NetSpec(
            block=block,
            blocks=blocks,
            stem=stem,
            width=width,
            groups=groups,
            width_per_group=width_per_group,
            norm=norm,
            classes=classes,
            in_channels=channels,
            activation=answers.activation or Activation.RELU,
        )
    except SpecError as error:
        raise CheckpointError(f"this checkpoint is no network that can be built here: {error}") from error
    spec = replace(base, shortcut=_shortcut(base, state))
    if answers.plain:
        spec = spec.plain()
    bare = preact and norm is not Norm.NONE and "norm.weight" not in state
    variant = Variant(bool(answers.pool) and stem is Stem.CIFAR, bare, answers.groups)
    return spec, variant, tuple(_guesses(spec, state, answers))


_REP: Final = "layer1.0.downsample.point.0.weight"  # which only RepVGG's unit has
_BLOCKS: Final = {
    (False, False): Block.BASIC,
    (False, True): Block.BOTTLENECK,
    (True, False): Block.PREACT_BASIC,
    (True, True): Block.PREACT_BOTTLENECK,
}


def _checked(state: State, key: str, dims: int) -> None:
    if key not in state:
        near = get_close_matches(key, [each[:200] for each in state], 1, 0.0)
        raise CheckpointError(
            f"this is no ResNet: {key!r} is missing{f', the nearest is {quoted(near[0])!r}' if near else ''}; name layers as torchvision does"
        )
    if isinstance(stored := state[key], Stored) and stored.problem:
        raise CheckpointError(f"{key} is {stored.problem}; save plain float tensors")
    if len(shape := tuple(state[key].shape)) != dims or min(shape) < 1:
        raise CheckpointError(
            f"{key} has shape {shape}, a {'convolution' if dims == 4 else 'linear layer'}'s has {dims} sizes above 0"
        )


def _stem(state: State) -> tuple[Stem, int, int]:
    """The stem, its width, and the channels of the pictures that it reads."""
    keys = [f"conv1.{n}.weight" for n in (0, 3, 6)] if "conv1.0.weight" in state else ["conv1.weight"]
    for key in keys:
        _checked(state, key, 4)
    made = [state[key].shape[0] for key in keys]
    (_, channels, kernel, _), width = state[keys[0]].shape, made[-1]
    if kernel not in (3, 7):
        raise CheckpointError(f"its first convolution is {kernel}×{kernel}; only 7×7 and 3×3 stems can be built here")
    if channels not in (1, 3):
        raise CheckpointError(f"it takes pictures of {channels} channels; a photograph has 3, or 1 in grey")
    if len(keys) == 1:
        return Stem.IMAGENET if kernel == 7 else Stem.CIFAR, width, channels
    if made[:-1] != [(width + 1) // 2] * 2:
        raise CheckpointError(
            f"its deep stem makes {made[0]}, {made[1]} and {width} channels; only ResNet-C's, which makes half of its width twice, can be built here"
        )
    return Stem.DEEP, width, channels


def _counts(state: State) -> tuple[int, ...]:
    """Blocks of each stage, which must follow one another: a key alone makes no network of hundreds."""
    found: dict[int, set[int]] = {}
    for key in state:
        if match := re.match(r"layer(\d)\.(\d{1,3})\.", key):
            found.setdefault(int(match[1]), set()).add(int(match[2]))
    for stage, blocks in found.items():
        if (gap := next((n for n in range(max(blocks)) if n not in blocks), None)) is not None:
            raise CheckpointError(
                f"layer{stage}.{gap} is missing, though it has layer{stage}.{max(blocks)}; save the whole state_dict"
            )
    return tuple(len(found[stage]) for stage in sorted(found))


def _norm(state: State) -> Norm:
    if any(key.endswith("running_mean") for key in state):
        return Norm.BATCH
    return Norm.GROUP if "layer1.0.bn1.weight" in state else Norm.NONE


def _grouping(state: State, block: Block, width: int) -> tuple[int, int]:
    """Groups and their width, which all stages must agree with: rounding hides it in narrow ones."""
    planes = state["layer1.0.conv1.weight" if block is Block.REP else "layer1.0.conv2.weight"].shape[0]
    if not block.bottleneck:
        if planes != width:
            raise CheckpointError(
                f"its stem has {width} channels and its first stage {planes}, as Wide ResNets for CIFAR do; only equal ones can be built here"
            )
        return 1, 64
    convs = [state[key] for stage in range(1, 7) if (key := f"layer{stage}.0.conv2.weight") in state]
    for conv in convs:
        if len(conv.shape) != 4 or min(conv.shape) < 1:
            raise CheckpointError(f"a convolution has shape {tuple(conv.shape)}; it needs four sizes above 0")
    groups = convs[0].shape[0] // convs[0].shape[1]
    for wide in (64, *range(1, 1025)):
        if all(int(width * 2**s * (wide / 64.0)) * groups == conv.shape[0] for s, conv in enumerate(convs)):
            return groups, wide
    raise CheckpointError(f"its 3×3 convolutions have {[c.shape[0] for c in convs]} channels, which no width per group gives")


def _shortcut(spec: NetSpec, state: State) -> Shortcut:
    if any(key.endswith(".downsample.1.weight") and len(state[key].shape) == 4 for key in state):
        return Shortcut.D
    given = {key.removesuffix(".downsample.0.weight") for key in state if key.endswith(".downsample.0.weight")}
    if not given:
        return Shortcut.A
    changing = {f"layer{stage + 1}.0" for stage in range(len(spec.blocks)) if stage or spec.block.expansion > 1}
    return Shortcut.B if given <= changing else Shortcut.C


def _guesses(spec: NetSpec, state: State, answers: Answers) -> Iterator[Guess]:
    """What the tensors cannot say, with what is taken for it."""
    usual = "" if answers.activation else "the usual one; another has the same tensors"
    if usual:
        yield Guess("activation", spec.activation.value, usual)
    if spec.shortcut is Shortcut.A and answers.plain is None:
        yield Guess("plain", "with skips", "one without any skip has the same tensors")
    if spec.norm is Norm.NONE and answers.preact is None:
        order = "pre-activation" if spec.block.preact else "post-activation"
        yield Guess("preact", order, "without norms both orders have the same tensors")
    if spec.stem is Stem.CIFAR and answers.pool is None:
        yield Guess("pool", "no max pool after the 3×3 stem", "one with it has the same tensors")
    if spec.norm is Norm.GROUP and answers.groups is None:
        yield Guess("groups", "16 channels in each group of a norm", "any other number has the same tensors")
