"""What a network is, as one frozen value that a URL can hold: `NetSpec`, its words, and the paper's presets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

__all__ = [
    "CIFAR_DEPTHS",
    "PRESETS",
    "Activation",
    "Block",
    "Init",
    "NetSpec",
    "Norm",
    "Shortcut",
    "SpecError",
    "Stem",
    "cifar_blocks",
    "describe",
    "from_query",
    "name_of",
    "preset_of",
    "to_query",
    "to_query_string",
]


class SpecError(ValueError):
    """A value that no network can be built from; the message names the value and the remedy."""


class Block(StrEnum):
    """The residual unit: post-activation (He et al. 2015) or pre-activation (He et al. 2016, arXiv 1603.05027)."""

    BASIC = "basic"
    BOTTLENECK = "bottleneck"
    PREACT_BASIC = "preact-basic"
    PREACT_BOTTLENECK = "preact-bottleneck"

    @property
    def expansion(self) -> int:
        """Output channels over the block's planes."""
        return 4 if self.bottleneck else 1

    @property
    def bottleneck(self) -> bool:
        return self in (Block.BOTTLENECK, Block.PREACT_BOTTLENECK)

    @property
    def preact(self) -> bool:
        return self in (Block.PREACT_BASIC, Block.PREACT_BOTTLENECK)

    @property
    def convs(self) -> int:
        """Weighted layers on the residual branch."""
        return 3 if self.bottleneck else 2


class Stem(StrEnum):
    CIFAR = "cifar"  # one 3×3 convolution
    IMAGENET = "imagenet"  # 7×7, stride 2, then a 3×3 max pool, stride 2


class Shortcut(StrEnum):
    """How a skip changes shape: A zero-pads, B projects where the shape changes, C projects everywhere (paper §3.3)."""

    A = "A"
    B = "B"
    C = "C"


class Norm(StrEnum):
    BATCH = "batch"
    GROUP = "group"
    NONE = "none"


class Activation(StrEnum):
    RELU = "relu"
    GELU = "gelu"
    TANH = "tanh"
    SIGMOID = "sigmoid"


class Init(StrEnum):
    KAIMING = "kaiming"  # normal, fan-out (He et al. 2015, arXiv 1502.01852)
    XAVIER = "xavier"
    PYTORCH = "pytorch"  # what nn.Conv2d does by itself: uniform ±1/√fan_in
    ZERO_GAMMA = "zero-gamma"  # Kaiming, and the branch's last norm starts at γ = 0 (Goyal et al. 2017, arXiv 1706.02677)


_BLOCK_NAME = re.compile(r"layer([1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True)
class NetSpec:
    """One residual (or plain) network. The default is the paper's ResNet-56 for CIFAR-10.

    `width` is the first stage's planes; each later stage doubles it and halves the resolution. `cut` and
    `dropped` hold block names such as `layer2.0`: a cut block passes only F(x), a dropped one only its skip.
    Raises `SpecError` for a value no network can be built from.
    """

    block: Block = Block.BASIC
    blocks: tuple[int, ...] = (9, 9, 9)
    stem: Stem = Stem.CIFAR
    width: int = 16
    groups: int = 1
    width_per_group: int = 64
    shortcut: Shortcut = Shortcut.A
    residual: bool = True
    cut: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    norm: Norm = Norm.BATCH
    activation: Activation = Activation.RELU
    init: Init = Init.KAIMING
    classes: int = 10
    in_channels: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.blocks) <= 6 or any(not 1 <= n <= 512 for n in self.blocks):
            raise SpecError(f"blocks must be 1 to 6 counts from 1 to 512, got {self.blocks}; try (3, 4, 6, 3)")
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SpecError(f"{name} must be from {low} to {high}, got {value}; choose a value in that range")
        if not self.block.bottleneck and (self.groups, self.width_per_group) != (1, 64):
            raise SpecError(
                f"groups={self.groups} and width_per_group={self.width_per_group} need a bottleneck block, "
                f"got block={self.block.value}; use block=bottleneck, or groups=1 and width_per_group=64"
            )
        if self.block.bottleneck and self.mid_channels(0) < self.groups:
            raise SpecError(
                f"width={self.width} with width_per_group={self.width_per_group} leaves no channel for a group; raise either"
            )
        if self.init is Init.ZERO_GAMMA and self.norm is Norm.NONE:
            raise SpecError("init=zero-gamma needs a norm to hold γ, got norm=none; use norm=batch or init=kaiming")
        known = set(self.block_names())
        for field, names in (("cut", self.cut), ("dropped", self.dropped)):
            if unknown := sorted(names - known):
                raise SpecError(f"{field} names {unknown[0]!r}, which this network of {self.blocks} blocks does not have")
        if not self.residual and self.dropped:
            raise SpecError(f"{min(self.dropped)} is dropped in a plain network, so nothing would pass; use residual=1")
        if both := sorted(self.cut & self.dropped):
            raise SpecError(f"{both[0]} is both cut and dropped, so nothing would pass; choose one")

    @property
    def depth(self) -> int:
        """Weighted layers as the paper counts them: the stem, every branch convolution, the classifier."""
        return self.block.convs * sum(self.blocks) + 2

    def planes(self, stage: int) -> int:
        """Planes of stage 0, 1, …: the block's nominal width before its expansion."""
        return int(self.width * 2**stage)

    def mid_channels(self, stage: int) -> int:
        """Channels inside a block (torchvision's `width`)."""
        if not self.block.bottleneck:
            return self.planes(stage)
        return int(self.planes(stage) * (self.width_per_group / 64.0)) * self.groups

    def out_channels(self, stage: int) -> int:
        return self.planes(stage) * self.block.expansion

    def block_names(self) -> Iterator[str]:
        """Every block's name in forward order."""
        return (f"layer{s + 1}.{i}" for s, n in enumerate(self.blocks) for i in range(n))

    def plain(self) -> NetSpec:
        """The same network without any skip."""
        return replace(self, residual=False, cut=frozenset(), dropped=frozenset())

    def toggled(self, block: str) -> NetSpec:
        """The same network with one block's skip cut, or restored."""
        return replace(self, cut=self.cut ^ {block}, dropped=self.dropped - {block})

    def has_skip(self, block: str) -> bool:
        return self.residual and block not in self.cut

    def resized(self, **changes: Any) -> NetSpec:
        """`replace`, forgetting the cuts, drops and grouping that the new shape has no place for."""
        shape = replace(self, cut=frozenset(), dropped=frozenset(), **_fitting(self, changes))
        names = set(shape.block_names())
        if not shape.residual:
            return shape
        return replace(shape, cut=self.cut & names, dropped=self.dropped & names)


def _fitting(spec: NetSpec, changes: dict[str, Any]) -> dict[str, Any]:
    """`changes`, plus what must change with them for the network to exist."""
    forced: dict[str, Any] = {}
    if not changes.get("block", spec.block).bottleneck:
        forced |= {"groups": 1, "width_per_group": 64}
    if changes.get("norm", spec.norm) is Norm.NONE and changes.get("init", spec.init) is Init.ZERO_GAMMA:
        forced["init"] = Init.KAIMING
    return changes | forced


_RANGES: Final = (
    ("width", 1, 1024),
    ("groups", 1, 256),
    ("width_per_group", 1, 1024),
    ("classes", 1, 100_000),
    ("in_channels", 1, 64),
    ("seed", 0, 2**31 - 1),
)

# ---------------------------------------------------------------------------------------------- URL


def _names(text: str) -> frozenset[str]:
    found = frozenset(f"layer{part}" for part in text.split(",") if part)
    if len(found) > 512 or any(not _BLOCK_NAME.fullmatch(name) for name in found):
        raise ValueError("block names look like 1.0,2.3")
    return found


def _flag(text: str) -> bool:
    return {"1": True, "0": False}[text]


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        raise ValueError("a whole number")
    return int(text)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_whole(part) for part in text.split("-"))


def _in_order(names: frozenset[str]) -> str:
    keyed = sorted(tuple(int(part) for part in name.removeprefix("layer").split(".")) for name in names)
    return ",".join(f"{stage}.{index}" for stage, index in keyed)


_Decoder = Callable[[str], Any]
# One table drives the URL both ways; the defaults are NetSpec's own.
_FIELDS: Final[Mapping[str, tuple[_Decoder, Callable[[Any], str]]]] = {
    "block": (Block, str),
    "blocks": (_counts, lambda counts: "-".join(map(str, counts))),
    "stem": (Stem, str),
    "width": (_whole, str),
    "groups": (_whole, str),
    "width_per_group": (_whole, str),
    "shortcut": (Shortcut, str),
    "residual": (_flag, lambda on: "1" if on else "0"),
    "cut": (_names, _in_order),
    "dropped": (_names, _in_order),
    "norm": (Norm, str),
    "activation": (Activation, str),
    "init": (Init, str),
    "classes": (_whole, str),
    "in_channels": (_whole, str),
    "seed": (_whole, str),
}


def to_query(spec: NetSpec) -> dict[str, str]:
    """The spec as query parameters; fields at their default are left out."""
    default = NetSpec()
    return {
        name: encode(getattr(spec, name))
        for name, (_, encode) in _FIELDS.items()
        if getattr(spec, name) != getattr(default, name)
    }


def to_query_string(spec: NetSpec) -> str:
    """The spec as the text behind a URL's `?`."""
    return urlencode(to_query(spec), safe=",.-")


def from_query(query: Mapping[str, str] | str) -> tuple[NetSpec, tuple[str, ...]]:
    """Read a spec from query parameters; `net=resnet50` sets a base that other parameters change.

    Never raises: a parameter that is unknown or cannot be read is skipped and named in the second value, and a
    combination no network can be built from yields the default network and its reason.
    """
    base, problems, changes = NetSpec(), [], {}
    try:
        pairs = dict(parse_qsl(query.lstrip("?"), max_num_fields=64)) if isinstance(query, str) else dict(query)
    except ValueError:
        return base, ("the query has more than 64 parameters",)
    if (net := pairs.pop("net", None)) is not None:
        if net in PRESETS:
            base = PRESETS[net]
        else:
            problems.append(f"net={net[:40]!r} is no preset")
    for name, text in pairs.items():
        if name not in _FIELDS:
            problems.append(f"{name[:40]!r} is not a parameter")
            continue
        try:
            changes[name] = _FIELDS[name][0](text[:4000])
        except (ValueError, KeyError):
            problems.append(f"{name}={text[:40]!r} cannot be read")
    try:
        return replace(base, **changes), tuple(problems)
    except SpecError as error:
        return NetSpec(), (*problems, str(error))


# ------------------------------------------------------------------------------------------ presets

CIFAR_DEPTHS: Final = (20, 32, 44, 56, 110, 1202)
_IMAGENET = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
} | {"resnet152": (3, 8, 36, 3)}


def cifar_blocks(depth: int, block: Block = Block.BASIC) -> tuple[int, ...]:
    """Blocks per stage of a three-stage CIFAR network: depth is 6n+2 with basic, 9n+2 with bottleneck blocks."""
    step = 3 * block.convs
    n, rest = divmod(depth - 2, step)
    if rest or n < 1:
        near = max(1, round((depth - 2) / step)) * step + 2
        raise SpecError(f"depth must be {step}n+2 with {block.value} blocks, got {depth}; the nearest is {near}")
    return (n, n, n)


def _imagenet(block: Block, blocks: tuple[int, ...], groups: int = 1, width_per_group: int = 64) -> NetSpec:
    return NetSpec(
        block=block,
        blocks=blocks,
        stem=Stem.IMAGENET,
        width=64,
        groups=groups,
        width_per_group=width_per_group,
        shortcut=Shortcut.B,
        classes=1000,
    )


def _presets() -> dict[str, NetSpec]:
    nets = {
        name: _imagenet(Block.BASIC if name in ("resnet18", "resnet34") else Block.BOTTLENECK, blocks)
        for name, blocks in _IMAGENET.items()
    }
    nets["resnext50_32x4d"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet50"], 32, 4)
    nets["resnext101_32x8d"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet101"], 32, 8)
    nets["wide_resnet50_2"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet50"], 1, 128)
    nets["wide_resnet101_2"] = _imagenet(Block.BOTTLENECK, _IMAGENET["resnet101"], 1, 128)
    nets |= {f"resnet{depth}": NetSpec(blocks=cifar_blocks(depth)) for depth in CIFAR_DEPTHS}
    for depth in (164, 1001):
        block = Block.PREACT_BOTTLENECK
        nets[f"resnet{depth}"] = NetSpec(block=block, blocks=cifar_blocks(depth, block), shortcut=Shortcut.B)
    return nets | {_plain_name(name): spec.plain() for name, spec in nets.items()}


def _plain_name(name: str) -> str:
    return f"plain{name.removeprefix('resnet')}" if name.startswith("resnet") else f"plain_{name}"


PRESETS: Final[Mapping[str, NetSpec]] = _presets()
_SHAPE = ("block", "blocks", "stem", "width", "groups", "width_per_group")


def preset_of(spec: NetSpec) -> str | None:
    """The residual preset that has this spec's shape, if any (cuts, norm, init and classes aside)."""
    shape = [getattr(spec, field) for field in _SHAPE]
    return next(
        (name for name, other in PRESETS.items() if other.residual and [getattr(other, f) for f in _SHAPE] == shape),
        None,
    )


_TITLES = {
    "resnext50_32x4d": "ResNeXt-50 32×4d",
    "resnext101_32x8d": "ResNeXt-101 32×8d",
    "wide_resnet50_2": "Wide ResNet-50-2",
    "wide_resnet101_2": "Wide ResNet-101-2",
}


def name_of(spec: NetSpec) -> str:
    """The network's short name: `ResNet-56`, `Plain-20`, `ResNet-26 (2-2-2-2)`."""
    preset = preset_of(spec)
    if preset in _TITLES:
        return ("" if spec.residual else "Plain ") + _TITLES[preset]
    family = "ResNet" if spec.residual else "Plain"
    return f"{family}-{spec.depth}" + ("" if preset else f" ({'-'.join(map(str, spec.blocks))}, width {spec.width})")


_WORDS: Final[Mapping[Any, str]] = {
    Block.PREACT_BASIC: "pre-activation basic",
    Block.PREACT_BOTTLENECK: "pre-activation bottleneck",
    Norm.BATCH: "BN",
    Norm.GROUP: "GN",
    Norm.NONE: "no norm",
    Init.KAIMING: "Kaiming",
    Init.XAVIER: "Xavier",
    Init.PYTORCH: "PyTorch init",
    Init.ZERO_GAMMA: "Kaiming, zero-γ",
    Activation.GELU: "GELU",
}


def describe(spec: NetSpec) -> str:
    """The network in words, the same everywhere: `ResNet-56 · basic · option A · BN · Kaiming · 3 skips cut`."""
    words = [name_of(spec), _WORDS.get(spec.block, spec.block.value)]
    if spec.residual:
        words.append(f"option {spec.shortcut.value}")
    words += [_WORDS[spec.norm], _WORDS[spec.init]]
    if spec.activation is not Activation.RELU:
        words.append(_WORDS.get(spec.activation, spec.activation.value))
    for names, what in ((spec.cut, "cut"), (spec.dropped, "dropped")):
        if names and spec.residual:
            thing = "skip" if what == "cut" else "branch"
            plural = thing + ("" if len(names) == 1 else "es" if thing == "branch" else "s")
            words.append(f"{len(names)} {plural} {what}")
    if spec.seed:
        words.append(f"seed {spec.seed}")
    return " · ".join(words)


if {field.name for field in fields(NetSpec)} != set(_FIELDS):
    raise RuntimeError("every field of NetSpec needs its row in _FIELDS")
