"""Checkpoints: torch.save old and new and safetensors, damaged in bytes and in structure, and pickles that mean harm."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import torch
from PIL import Image
from safetensors.torch import save as safe
from torch import Tensor

from resviz.nets.build import build
from resviz.spec.net import Activation, Block, NetSpec, Norm, Shortcut, Stem
from resviz.spec.query import to_query_string
from resviz.zoo.checkpoint import Answers, CheckpointError, load
from resviz.zoo.classifier import predict
from tests.foreign import NumberedResNet, PreActResNet, as_transformers, trained
from tests.fuzz.claims import BrokenClaim, sentence
from tests.fuzz.mutate import NUMBERS, damaged

__all__ = ["KINDS", "Own", "ask", "make"]

Own = CheckpointError
State = dict[str, Tensor]
_SMALL = NetSpec(blocks=(1, 1), width=8, classes=3)
_SPECS = (
    _SMALL, replace(_SMALL, shortcut=Shortcut.C), replace(_SMALL, norm=Norm.NONE), replace(_SMALL, norm=Norm.GROUP, width=16),
    replace(_SMALL, block=Block.PREACT_BASIC), replace(_SMALL, block=Block.BOTTLENECK, shortcut=Shortcut.B, width_per_group=32, groups=2),
    replace(_SMALL, in_channels=1), replace(_SMALL, stem=Stem.IMAGENET, shortcut=Shortcut.B, classes=2),
    replace(_SMALL, stem=Stem.DEEP, shortcut=Shortcut.D),
)  # fmt: skip
_MARK = "RESVIZ_CANARY"


@cache
def states() -> tuple[State, ...]:
    """Small networks of every kind that is read, and of others' layouts."""
    ours = [trained(build(spec)).state_dict() for spec in _SPECS]
    theirs = [trained(kind(4, 3)).state_dict() for kind in (NumberedResNet, PreActResNet)]
    photographs = trained(build(NetSpec(blocks=(1, 1), width=8, classes=3, stem=Stem.IMAGENET, shortcut=Shortcut.B))).state_dict()
    return (*ours, *theirs, as_transformers(photographs))


@cache
def photograph() -> Image.Image:
    return Image.linear_gradient("L").convert("RGB").resize((40, 40))


def make(rng: Random, index: int) -> tuple[str, dict[str, Any]]:
    """A file with its name, what is told about it, and the card beside it."""
    kind, way = list(_WAYS.items())[index % len(_WAYS)]
    how, data = way(rng)
    name = rng.choice(
        ("net.pth", "NET.SafeTensors", "x", "../../net.pth", "=1+1.ckpt", "a\nb.pth", "n" * 2000, "é😀.bin", "...pth", "")
    )
    told = rng.choice(({}, {}, {}, {}, {"groups": 3}, {"plain": True, "pool": True}, {"size": 8}, {"activation": Activation.TANH},
                       {"classes": ("a", "a", "b")}, {"network": "ema"}))  # fmt: skip
    card = _card(rng) if rng.random() < 0.2 else None
    return f"{kind}: {how}", {"data": data, "name": name, "told": told, "card": card}


def _card(rng: Random) -> str:
    about: dict[str, Any] = {
        "spec": to_query_string(_SMALL),
        "categories": ["a", "b", "c"],
        "image_size": 32,
        "mean": [0.5] * 3,
        "std": [0.2] * 3,
    }
    about[rng.choice(list(about))] = rng.choice(
        (None, [], {}, -1, 0, 10**30, "x" * 5000, float("nan"), ["a"] * 3, [0] * 3, "blocks=999")
    )
    return rng.choice((json.dumps(about), json.dumps(about)[: rng.randrange(60)], "[" * 5000, "{}", "null"))


def ask(given: dict[str, Any]) -> str:
    found = load(given["data"], given["name"], Answers(**given["told"]), given["card"])
    total = predict(found, photograph()).probabilities.sum()
    if not abs(total - 1) < 1e-6 or not found.name.isprintable():
        raise BrokenClaim(f"{found.name!r} answers with probabilities that sum to {total}")
    for said in (*found.notes, *map(str, found.guesses)):
        sentence(said)
    return "read"


# ------------------------------------------------------------------------------------------ how it is packed


def saved(thing: object, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer, **options)
    return buffer.getvalue()


def _legacy(thing: object) -> bytes:
    return saved(thing, _use_new_zipfile_serialization=False)


def _safe(state: State) -> bytes:
    return safe({key: value.contiguous().clone() for key, value in state.items() if value.layout is torch.strided})


def _packed(rng: Random, state: State) -> bytes:
    large = any(isinstance(value, Tensor) and not value.is_nested and value.numel() > 10**6 for value in state.values())
    try:
        return rng.choice((saved, _legacy, saved if large else _safe))(state)
    except (ValueError, KeyError, RuntimeError, TypeError):  # what safetensors cannot hold
        return saved(state)


# ------------------------------------------------------------------------------------------ ways


def _bytes(rng: Random) -> tuple[str, bytes]:
    return damaged(_packed(rng, rng.choice(states())), rng)


def _pickle_bytes(rng: Random) -> tuple[str, bytes]:
    """Only the part that describes the tensors."""
    data = rng.choice((saved, _legacy))(rng.choice(states()))
    at = data.find(b"\x80\x02") + (0 if data.startswith(b"PK") else rng.randrange(200))
    how, part = damaged(data[at : at + 1500], rng)
    return f"in its pickle {how}", data[:at] + part[:1500].ljust(1500 if rng.random() < 0.8 else 0, b".") + data[at + 1500 :]


def _shapes(rng: Random) -> tuple[str, bytes]:
    """Odd shapes, kinds and values of one or more tensors."""
    state, names = dict(rng.choice(states())), []
    for key in rng.sample(list(state), rng.choice((1, 1, 2, 5))):
        name = rng.choice(list(_TENSORS))
        try:
            state[key] = _TENSORS[name](state[key])
        except (RuntimeError, NotImplementedError, ValueError, IndexError, TypeError):
            continue
        names.append(f"{key} {name}")
    try:
        return "; ".join(names), _packed(rng, state)
    except Exception:  # PyTorch cannot write it
        return "as it is", _packed(rng, rng.choice(states()))


_TENSORS: dict[str, Callable[[Tensor], Any]] = {
    "scalar": lambda t: torch.tensor(1.0),
    "empty": lambda t: t.new_zeros(0),
    "no channels": lambda t: t.new_zeros((0, *t.shape[1:])),
    "one more size": lambda t: t[None],
    "flat": lambda t: t.flatten(),
    "nine sizes": lambda t: t.reshape((*t.shape, *[1] * (9 - t.dim()))),
    "one row": lambda t: t[:1].clone(),
    "twice": lambda t: torch.cat([t, t]),
    "nan": lambda t: t * float("nan"),
    "infinite": lambda t: t * float("inf"),
    "huge": lambda t: t * 1e38,
    "tiny": lambda t: t * 1e-42,
    "zeros": lambda t: t * 0,
    "negative": lambda t: -t.abs() - 1,
    "whole": lambda t: t.long(),
    "double": lambda t: t.double() * 1e300,
    "half": lambda t: t.half(),
    "bfloat16": lambda t: t.bfloat16(),
    "complex": lambda t: t.to(torch.complex64),
    "bool": lambda t: t.bool(),
    "float8": lambda t: t.to(torch.float8_e4m3fn),
    "sparse": lambda t: t.to_sparse(),
    "quantised": lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
    "meta": lambda t: t.to("meta"),
    "nested": lambda t: torch.nested.nested_tensor([t.flatten()]),
    "a view": lambda t: t.flatten()[:1].expand(10**9),
    "text": lambda t: "text",
    "none": lambda t: None,
    "a list": lambda t: [t],
    "itself in a mapping": lambda t: {"weight": t},
}


def _keys(rng: Random) -> tuple[str, bytes]:
    """Keys lost, renamed, strange or too many."""
    state = dict(rng.choice(states()))
    way = rng.choice(("lost", "renamed", "strange", "many", "more blocks", "few"))
    keys = list(state)
    if way == "lost":
        del state[rng.choice(keys)]
    elif way == "renamed":
        state = {key.replace("layer", rng.choice(("stage", "l", "LAYER"))): value for key, value in state.items()}
    elif way == "strange":
        odd = rng.choice(
            ("", ".", "\n" * 50, "k" * 100_000, "![i](http://e.x)", "layer1.0.conv1.weight.", "layer9.0.x", "\u202e", "a\0b")
        )
        state[odd] = state.pop(rng.choice(keys)) if rng.random() < 0.5 else torch.zeros(3)
    elif way == "many":
        state |= {f"more.{n}": torch.zeros(1) for n in range(rng.choice((100, 3000)))}
    elif way == "more blocks":
        state |= {
            f"layer{rng.choice((1, 2, 3, 9))}.{rng.choice((1, 99, 511, 999))}.conv{n}.weight": torch.zeros(8, 8, 3, 3)
            for n in (1, 2)
        }
    else:
        state = {key: state[key] for key in rng.sample(keys, rng.choice((0, 1, 3)))}
    return way, _packed(rng, state)


def _wrapped(rng: Random) -> tuple[str, bytes]:
    """The weights inside other things, as trainings write them."""
    state, words = (
        rng.choice(states()),
        ("state_dict", "model", "ema", "state_dict_ema", "net", "weights", "teacher", "0", "optimizer"),
    )
    tree: Any = {f"{rng.choice(('', 'module.', 'backbone.', 'a.b.'))}{key}": value for key, value in state.items()}
    for _ in range(rng.choice((1, 1, 2, 3, 60))):
        word = rng.choice(words)
        tree = rng.choice((
            {word: tree}, {word: tree, "epoch": 3, "args": SimpleNamespace(lr=0.1, path=Path("x"))}, OrderedDict([(word, tree)]),
            {word: tree, "ema": state}, {1: tree}, [tree], (tree, None), {"optimizer": {"state": {0: state}}, word: tree},
        ))  # fmt: skip
    return "wrapped", rng.choice((saved, saved, _legacy))(tree)


def _safetensors_header(rng: Random) -> tuple[str, bytes]:
    """Lies in the header: kinds, shapes, places, its own length, and what JSON can hold."""
    data = _safe(rng.choice(states()))
    (size,) = struct.unpack("<Q", data[:8])
    header, rest = json.loads(data[8 : 8 + size]), data[8 + size :]
    for _ in range(rng.choice((1, 2, 4))):
        entry = header[rng.choice([key for key in header if isinstance(header[key], dict)])]
        field = rng.choice(("dtype", "shape", "data_offsets", "gone", "all"))
        odd: Any = rng.choice(
            (None, -1, 2**63, 1e308, "x", [], {}, [0], [-1, 4], [2**40, 2**40], [1.5], [[1]], [10**30], [3, 0], [5, 2**50], True)
        )
        if field == "gone":
            entry.pop(rng.choice(list(entry)), None)
        elif field == "all":
            header[f"odd{rng.randrange(99)}"] = odd
        else:
            entry[field] = odd if rng.random() < 0.8 else rng.choice(("F32", "BF16", "F8_E4M3", "C64"))
        if not any(isinstance(each, dict) and each for each in header.values()):
            break
    if rng.random() < 0.1:
        header = rng.choice(
            ([], {"a" * 10**6: 1}, {str(n): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(100_001)})
        )
    text = json.dumps(header).encode() if rng.random() < 0.95 else b"{" + b'"a":[' * 100_000
    return "its header lies", struct.pack("<Q", rng.choice((len(text),) * 9 + NUMBERS[-2:])) + text + rest


def _zip_table(rng: Random) -> tuple[str, bytes]:
    """Fields of the zip's table that lie about size, place and packing."""
    data = bytearray(saved(rng.choice(states())))
    places = [at for at in range(len(data)) if data.startswith(b"PK\x01\x02", at)]
    end = data.rfind(b"PK\x05\x06")
    for _ in range(rng.choice((1, 2, 6))):
        at, size = rng.choice(((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (42, 4), (0, 0)))
        if size:
            struct.pack_into("<H" if size == 2 else "<I", data, rng.choice(places) + at, rng.choice(NUMBERS) % 256**size)
        else:
            struct.pack_into("<I", data, end + rng.choice((8, 12, 16)), rng.choice(NUMBERS))
    return "its table lies", bytes(data)


def _deflated(rng: Random) -> tuple[str, bytes]:
    """Packed again, as torch.save never does: a record may then claim more than the file holds."""
    buffer, method = io.BytesIO(), rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(io.BytesIO(saved(rng.choice(states())))) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), method if rng.random() < 0.6 else zipfile.ZIP_STORED)
    return f"packed by method {method}", buffer.getvalue()


# ------------------------------------------------------------------------------------------ harm


class _Harm:
    """What pickles as a call."""

    def __init__(self, call: Callable[..., object], *args: object) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call, self.args


def _harms() -> tuple[_Harm, ...]:
    """Each writes to the folder that the worker stands in, sets a variable, or takes memory."""
    import os
    import subprocess

    return (
        _Harm(os.system, "touch canary"), _Harm(exec, "open('canary', 'w')"), _Harm(eval, "open('canary', 'w')"),
        _Harm(open, "canary", "w"), _Harm(Path.touch, Path("canary")), _Harm(subprocess.call, ["touch", "canary"]),
        _Harm(os.mkdir, "canary"), _Harm(os.putenv, _MARK, "1"), _Harm(exec, f"import os; os.environ[{_MARK!r}] = '1'"),
        _Harm(bytearray, 2**31 - 1), _Harm(torch.zeros, (2**15, 2**15)), _Harm(__import__, "antigravity"),
    )  # fmt: skip


def _hostile(rng: Random) -> tuple[str, bytes]:
    state, harm = rng.choice(states()), rng.choice(_harms())
    tree: Any = rng.choice((
        harm, {**state, "conv1.weight": harm}, {"state_dict": state, "args": harm}, {"state_dict": harm}, [harm, state],
        OrderedDict(state, extra=harm), {"model": {**state, "x": [(harm,)]}},
    ))  # fmt: skip
    return f"calls {harm.call.__name__}{harm.args}"[:80], rng.choice((saved, _legacy, pickle.dumps))(tree)


_PICKLES: dict[str, bytes] = {
    "system by INST": b"(S'touch canary'\nios\nsystem\n.",
    "system by GLOBAL": b"cos\nsystem\n(S'touch canary'\ntR.",
    "system by OBJ": b"(cos\nsystem\nS'touch canary'\no.",
    "an extension": b"\x82\x01.\x83\x01\x00.\x84\x01\x00\x00\x00.",
    "a reference outside": b"Phttp://e.x\n.",
    "a text of 2⁶⁰ bytes": b"\x8d" + struct.pack("<Q", 2**60) + b"x.",
    "bytes of 2³¹": b"B" + struct.pack("<I", 2**31) + b"x.",
    "a bytearray of 2⁶²": b"\x96" + struct.pack("<Q", 2**62) + b"x.",
    "a whole number of 2³¹ bytes": b"\x8b" + struct.pack("<I", 2**31 - 1) + b"x.",
    "a number of 100,000 digits": b"I" + b"9" * 100_000 + b"\n.",
    "a memo of 2³²": b"Nr\xff\xff\xff\xff.",
    "a frame of 2⁶³": b"\x95" + struct.pack("<Q", 2**63) + b"N.",
    "400,000 marks": b"(" * 400_000 + b".",
    "400,000 tuples in each other": b")" + b"\x85" * 400_000 + b".",
    "400,000 lists in each other": b"]" + b"]" * 200_000 + b"a" * 200_000 + b".",
    "mappings in each other": b"}" + b"X\x01\x00\x00\x00a}" * 60_000 + b"s" * 60_000 + b".",
    "a list in itself": b"]q\x00h\x00ah\x00a.",
    "a mapping in itself": b"}q\x00X\x01\x00\x00\x00ah\x00s.",
    "2⁶⁰ entries by reference": b"]q\x00" + b"".join(b"]q" + bytes([n + 1]) + b"(" + (b"h" + bytes([n])) * 2 + b"e" for n in range(60)) + b".",
    "2⁶⁰ mappings by reference": b"}q\x00"
    + b"".join(b"}q" + bytes([n + 1]) + b"(" + b"".join(b"X\x01\x00\x00\x00" + key + b"h" + bytes([n]) for key in (b"a", b"b")) + b"u" for n in range(60))
    + b".",
    "more than can be read": b"N0" * 900_000 + b"N.",
    "nothing": b".",
    "no end": b"N",
    "pops": b"0000.",
}  # fmt: skip
_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)


def _crafted(rng: Random) -> tuple[str, bytes]:
    name = rng.choice(list(_PICKLES))
    code = b"\x80\x04" + _PICKLES[name]
    if rng.random() < 0.3:
        return name, _MAGIC + code + pickle.dumps([], 2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", code)
        archive.writestr("archive/version", b"3\n")
    return name, buffer.getvalue()


_WAYS: dict[str, Callable[[Random], tuple[str, bytes]]] = {
    "bytes": _bytes, "pickle": _pickle_bytes, "shapes": _shapes, "keys": _keys, "wrapped": _wrapped, "header": _safetensors_header,
    "table": _zip_table, "packed": _deflated, "hostile": _hostile, "crafted": _crafted, "shapes again": _shapes,
}  # fmt: skip
KINDS = len(_WAYS)
