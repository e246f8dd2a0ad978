"""Other repositories' checkpoints: where in a file a network lies, and which of our layers each of its names is."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from torch import Tensor

from resviz.guard import quoted
from resviz.zoo.pickles import Object, Stored
from resviz.zoo.read import CheckpointError

__all__ = ["Found", "class_names", "networks", "preactivation"]

_DEEP = 6  # mappings in mappings
_MANY = 20_000  # things to look at
_COPIES = 8  # networks in one mapping


@dataclass(frozen=True)
class Found:
    """A network in a file: where it lies, its tensors by torchvision's names, and the tensors beside it."""

    where: str
    tensors: Mapping[str, Stored]
    left_out: tuple[str, ...]
    problem: str = ""  # why it cannot be built


@dataclass(frozen=True)
class _Layout:
    """Names of one family of repositories: the convolution that tells them, and their way to ours."""

    anchor: str
    names: tuple[tuple[str, str], ...]


_COMMON: Final = (
    (r"\.(?:shortcut|skip|downsample)\.(\d)\.", r".downsample.\1."),
    (r"\.(?:shortcut|downsample)\.(?:conv|conv1)\.", ".downsample.0."),
    (r"\.(?:shortcut|downsample)\.(?:bn|norm|bn1)\.", ".downsample.1."),
    (r"(^|\.)(?:gn|norm)(\d)\.", r"\1bn\2."),
)
# pytorch-cifar100: conv2_x.0.residual_function holds conv, norm, ReLU, conv, norm, …
_NUMBERED = tuple(
    (rf"\.residual_function\.{3 * n + at}\.", f".{what}{n + 1}.") for n in range(3) for at, what in enumerate(("conv", "bn"))
)
_LAYOUTS: Final = (
    _Layout(r"layer1\.0\.conv1\.weight", _COMMON),  # torchvision, timm, kuangliu/pytorch-cifar, akamaster/pytorch_resnet_cifar10
    _Layout(
        r"conv2_x\.0\.residual_function\.0\.weight",
        (
            (r"^conv1\.0\.", "conv1."),
            (r"^conv1\.1\.", "bn1."),
            *((rf"^conv{n + 1}_x\.", f"layer{n}.") for n in range(1, 7)),
            *_NUMBERED,
            *_COMMON,
        ),
    ),
    _Layout(  # transformers
        r"encoder\.stages\.0\.layers\.0\.layer\.0\.convolution\.weight",
        (
            (r"^embedder\.embedder\.convolution\.", "conv1."),
            (r"^embedder\.embedder\.normalization\.", "bn1."),
            *((rf"^encoder\.stages\.{n}\.layers\.", f"layer{n + 1}.") for n in range(6)),
            *((rf"\.layer\.{n}\.convolution\.", f".conv{n + 1}.") for n in range(3)),
            *((rf"\.layer\.{n}\.normalization\.", f".bn{n + 1}.") for n in range(3)),
            (r"\.shortcut\.convolution\.", ".downsample.0."),
            (r"\.shortcut\.normalization\.", ".downsample.1."),
        ),
    ),
)
# what no network here can be built as, by a name among its tensors
_VARIANTS: Final = (
    (r"\.filt$|\.blur|\.aa\.", "an anti-aliased ResNet, whose strides blur (Zhang 2019)"),
    (
        r"^(conv1\.([257-9]|\d\d)\.|stem\.)",
        "a ResNet with another deep stem than ResNet-C's three 3×3 convolutions as timm names them",
    ),
    (r"\.se(_module)?\.", "a squeeze-and-excitation network (Hu et al. 2018)"),
    (r"\.(ca|sa|cbam|attn|attention)\.", "a ResNet with attention in its blocks"),
    (r"\.convs\.\d", "a Res2Net"),
    (r"\.conv2\.(radix|fc1|conv|bn0)", "a split-attention network (ResNeSt or SKNet)"),
    (r"^stages?\.?\d\.(blocks\.)?0\.(norm1|residual)", "a pre-activation ResNet whose blocks differ from He et al. 2016"),
)
# harmless wherever they stand: counters of FLOP tools, of batch norms and of averaged models
_COUNTERS: Final = re.compile(r"(^|\.)(total_ops|total_params|num_batches_tracked|n_averaged)$")
_HEADS: Final = re.compile(r"^(?:.*\.)?(?:fc|linear|classifier|head|last_linear)(?:\.fc|\.linear|\.\d+)?\.(weight|bias)$")
_LAST_NORM: Final = re.compile(r"^(bn|bn_last|bn_final|final_bn|last_bn|bn1)\.(.+)$")
_PART: Final = re.compile(r"(conv1|bn1|layer\d|norm|fc)\.")
_CLASSES: Final = ("classes", "class_names", "categories", "class_to_idx", "idx_to_class", "labels")


def networks(tree: object, name: str) -> tuple[Found, ...]:
    """Every network of the ResNet family in a file, its averaged copies last. Raises `CheckpointError` where there is none."""
    held = [(where, _tensors(entries)) for where, entries in _mappings(tree)]
    found = [each for where, tensors in held for each in _networks(where, tensors)]
    if not found:
        raise CheckpointError(_nothing([tensors for _, tensors in held if tensors], tree, quoted(name)))
    return tuple(sorted(found, key=lambda each: (bool(each.problem), "ema" in each.where or "averag" in each.where)))


def class_names(tree: object, classes: int) -> tuple[str, ...]:
    """The names that a checkpoint keeps beside its tensors, in order; none where it has none that fit."""
    every = (_listed(entries.get(key)) for _, entries in _mappings(tree) for key in _CLASSES)
    return next((names for names in every if len(names) == classes), ())


def preactivation(tensors: Mapping[str, Tensor | Stored]) -> bool:
    """Whether a block's first norm stands before its first convolution: where the two differ, its size tells."""
    for key, norm in tensors.items():
        conv = (
            tensors.get(key.replace(".bn1.weight", ".conv1.weight")) if re.fullmatch(r"layer\d\.\d+\.bn1\.weight", key) else None
        )
        if conv is not None and len(conv.shape) == 4 and conv.shape[0] != conv.shape[1]:
            return tuple(norm.shape) == tuple(conv.shape[1:2])
    return "bn1.weight" not in tensors and "layer1.0.bn1.weight" in tensors


def _tensors(entries: Mapping[object, object]) -> dict[str, Stored]:
    return {_text(key): value for key, value in entries.items() if isinstance(value, Stored)}


def _text(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _networks(where: str, tensors: Mapping[str, Stored]) -> Iterator[Found]:
    for layout in _LAYOUTS:
        matches = ((key, re.search(rf"(^|\.){layout.anchor}$", key)) for key in tensors)
        prefixes = [key[: match.start() + len(match[1])] for key, match in matches if match][:_COPIES]
        for prefix in prefixes:
            name = " · ".join(part for part in (where, prefix.strip(".") if len(prefixes) > 1 else "") if part)
            yield _named(name or "the only one", prefix, layout, tensors)


def _named(where: str, prefix: str, layout: _Layout, tensors: Mapping[str, Stored]) -> Found:
    """The tensors under a prefix by our names."""
    ours: dict[str, str] = {}  # our name: the file's
    for key in tensors:
        if key.startswith(prefix):
            name = key[len(prefix) :]
            for pattern, replacement in layout.names:
                name = re.sub(pattern, replacement, name)
            ours[name] = key
    problem = next((f"it is {what}" for pattern, what in _VARIANTS if any(re.search(pattern, name) for name in ours)), "")
    heads = _head([key for key in tensors if key.startswith(prefix)], tensors) or _head(list(tensors), tensors)
    if len(heads) > 1:
        problem = problem or f"its head has several linear layers ({', '.join(map(quoted, heads[:3]))})"
    elif heads and "fc.weight" not in ours:
        ours = {name: key for name, key in ours.items() if not key.startswith(f"{heads[0]}.")}
        ours |= {f"fc.{kind}": f"{heads[0]}.{kind}" for kind in ("weight", "bias") if f"{heads[0]}.{kind}" in tensors}
    if preactivation({name: tensors[key] for name, key in ours.items()}) and "norm.weight" not in ours:
        ours = _with_last_norm(ours, tensors)
    used = {name: key for name, key in ours.items() if _PART.match(name) and not _COUNTERS.search(name)}
    left = sorted(key for key in tensors.keys() - set(used.values()) if not key.endswith("num_batches_tracked"))
    return Found(where, {name: tensors[key] for name, key in used.items()}, tuple(left), problem)


def _head(keys: Sequence[str], tensors: Mapping[str, Stored]) -> list[str]:
    """The linear layers among these that end a network."""
    matches = (_HEADS.match(key) for key in keys if len(tensors[key].shape) == 2)
    return [match[0].removesuffix(".weight") for match in matches if match and match[0].endswith(".weight")]


def _with_last_norm(ours: Mapping[str, str], tensors: Mapping[str, Stored]) -> dict[str, str]:
    """A pre-activation network's last norm goes by many names; it is as wide as the classifier."""
    wide = tensors[ours["fc.weight"]].shape[1:] if "fc.weight" in ours else ()
    fits = [
        m[1] for name, key in ours.items() if (m := _LAST_NORM.match(name)) and tensors[key].shape == wide and m[2] == "weight"
    ]
    return {
        name.replace(f"{fits[0]}.", "norm.", 1) if fits and name.startswith(f"{fits[0]}.") else name: k
        for name, k in ours.items()
    }


def _nothing(held: Sequence[Mapping[str, Stored]], tree: object, name: str) -> str:
    """Why a file holds no network of this family."""
    if not held:
        there = [quoted(_text(key), 30) for key in (_entries(tree) or {})][:6]
        what = f"it has the entries {', '.join(there)}" if there else f"it is {_kind(tree)}"
        return f"{name} holds no tensors ({what}); save model.state_dict() with torch.save"
    keys: list[str] = list(sorted(held, key=len)[-1])
    if variant := next((what for pattern, what in _VARIANTS if any(re.search(pattern, key) for key in keys)), ""):
        return f"{name} holds {variant}, which cannot be built here; use a ResNet as torchvision has it"
    wanted = next(key for key in ("conv1.weight", "layer1.0.conv1.weight") if key not in keys)
    near = [quoted(key) for key in get_close_matches(wanted, keys[:_MANY], 1, 0.5) or keys[:1]]
    return f"{name} is no ResNet: {wanted!r} is missing, the nearest is {near[0]!r}; name layers as torchvision does"


def _kind(tree: object) -> str:
    return f"a {quoted(tree.kind)}" if isinstance(tree, Object) else f"a {type(tree).__name__}"


def _listed(given: object) -> tuple[str, ...]:
    if isinstance(given, dict):  # a name for each number, or a number for each name
        pairs = [(v, k) if isinstance(v, int) else (k, v) for k, v in given.items()]
        if not all(isinstance(n, int) for n, _ in pairs):
            return ()
        given = [text for _, text in sorted(pairs, key=lambda pair: pair[0])]
    if isinstance(given, list | tuple) and all(isinstance(text, str) for text in given):
        return tuple(quoted(text) for text in given)
    return ()


def _entries(thing: object) -> Mapping[object, object] | None:
    """A mapping's entries; of a whole module its parameters, buffers and parts."""
    if isinstance(thing, dict):
        return thing
    if not isinstance(thing, Object):
        return None
    if isinstance(thing.state, dict) and "_modules" in thing.state:
        return _flat(thing, "", _DEEP + 4)
    return thing.entries or (thing.state if isinstance(thing.state, dict) else None)


def _flat(module: Object, prefix: str, deep: int) -> dict[object, object]:
    """The state_dict of a module that was saved whole."""
    state = module.state if isinstance(module.state, dict) else {}
    found: dict[object, object] = {
        f"{prefix}{key}": value for kind in ("_parameters", "_buffers") for key, value in (state.get(kind) or {}).items()
    }
    for key, part in (state.get("_modules") or {}).items() if deep else ():
        if isinstance(part, Object):
            found |= _flat(part, f"{prefix}{key}.", deep - 1)
    return found


def _mappings(tree: object) -> Iterator[tuple[str, Mapping[object, object]]]:
    """Every mapping in the tree, and where it lies."""
    waiting: deque[tuple[tuple[str, ...], object]] = deque([((), tree)])
    seen: set[int] = set()
    while waiting and len(seen) < _MANY:
        where, thing = waiting.popleft()
        entries = _entries(thing)
        if entries is None or id(thing) in seen:
            continue
        seen.add(id(thing))
        yield quoted(" · ".join(where)), entries
        if len(where) < _DEEP:
            waiting += [((*where, _text(key)), value) for key, value in entries.items() if isinstance(value, dict | Object)]
