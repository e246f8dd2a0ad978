"""Checkpoints from outside: every kind of file is read as what it is, or refused in one clear sentence."""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import pickle
import resource
import struct
import time
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import save as safe
from torch import Tensor, nn

from resviz.nets.build import build, skeleton
from resviz.nets.families.resnet import ResNet, Variant
from resviz.progress import Cancelled
from resviz.spec.net import Activation, Block, NetSpec, Norm, Shortcut, Stem
from resviz.spec.query import to_query_string
from resviz.training.transfer.keep import card_of, checkpoint_of
from resviz.zoo.bundled import CHECKPOINTS, load_bundled
from resviz.zoo.checkpoint import Answers, CheckpointError, load
from tests.foreign import NumberedResNet, PreActResNet, TimmResNet, as_transformers, trained

SMALL = NetSpec(blocks=(2, 1), width=8, classes=5, shortcut=Shortcut.B)


def net(spec: NetSpec = SMALL) -> ResNet:
    made = trained(build(spec))
    assert isinstance(made, ResNet)
    return made


def saved(thing: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer, **options)
    return buffer.getvalue()


def fields(data: bytes, answers: Answers | None = None) -> set[str]:
    return {guess.field for guess in load(data, "net.pth", answers).guesses}


def answers_like(data: bytes, given: nn.Module, name: str = "net.pth", answers: Answers | None = None) -> None:
    """What is loaded is the same function."""
    found = load(data, name, answers)
    x = torch.randn(2, found.spec.in_channels, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = given.eval()(x)
        for view in (found.net, found.private_view(), found.fast_view(fused=True)):
            assert torch.allclose(view(x), expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def refused(data: bytes, words: str, name: str = "net.pth", answers: Answers | None = None) -> None:
    """One sentence, short, on one line, and soon."""
    began = time.thread_time()
    with pytest.raises(CheckpointError, match=words) as error:
        load(data, name, answers)
    assert len(str(error.value)) < 420
    assert str(error.value).isprintable()
    assert time.thread_time() - began < 3


# --------------------------------------------------------------------------------- files, wrappers, layouts


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_files_of_every_age_of_torch_save(options: dict[str, Any], dtype: torch.dtype) -> None:
    given = net().to(dtype)
    data = saved({"net": given.state_dict(), "epoch": 3}, **options)
    answers_like(data, given.float())


def test_views_and_shared_storages_are_read_where_they_lie() -> None:
    given = net()
    state = {key: value.clone() for key, value in given.state_dict().items()}
    state["fc.weight"] = torch.stack([state["fc.weight"].t(), torch.zeros(16, 5)])[0].t()  # a part of another, transposed
    assert not state["fc.weight"].is_contiguous()
    answers_like(saved(state), given)
    answers_like(saved(state, _use_new_zipfile_serialization=False), given)


@pytest.mark.parametrize(
    "name", ["w.pth.tar", "W.PTH", "w.ckpt", "w.bin", "w.pkl", "w.SafeTensors", "w", "w.safetensors", "...pth"]
)
def test_the_first_bytes_tell_what_a_file_is(name: str) -> None:
    given = net()
    answers_like(saved(given.state_dict()), given, name)
    answers_like(safe(given.state_dict()), given, name)


WRAPPERS = {
    "bare": lambda s: s,
    "model in state_dict": lambda s: {"state_dict": {"model": s}},
    "state_dict in model": lambda s: {"model": {"state_dict": s}},
    "state_dict_ema alone": lambda s: {"state_dict_ema": s},
    "ema": lambda s: {"ema": s},
    "weights": lambda s: {"weights": s, "epoch": 9},
    "whatever it is called": lambda s: {"run": {"best so far": s}},
    "module.": lambda s: {f"module.{k}": v for k, v in s.items()},
    "_orig_mod.module.": lambda s: {f"_orig_mod.module.{k}": v for k, v in s.items()},
    "backbone.": lambda s: {f"backbone.{k}": v for k, v in s.items()},
    "net. and a loss": lambda s: {"state_dict": {**{f"net.{k}": v for k, v in s.items()}, "loss.weight": torch.ones(5)}},
    "encoder. with the head outside": lambda s: {(k if k.startswith("fc") else f"encoder.{k}"): v for k, v in s.items()},
    "FLOP counters": lambda s: (
        s | {f"{k.rpartition('.')[0]}.{c}": torch.zeros(1, dtype=torch.float64) for k in s for c in ("total_ops", "total_params")}
    ),
    "an averaged model": lambda s: {"n_averaged": torch.tensor(3), **{f"module.{k}": v for k, v in s.items()}},
    "head in a Sequential": lambda s: {k.replace("fc.", "fc.1."): v for k, v in s.items()},
    "linear, shortcut": lambda s: {k.replace("fc.", "linear.").replace("downsample", "shortcut"): v for k, v in s.items()},
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_and_prefixes(wrapper: str) -> None:
    given = net()
    answers_like(saved(WRAPPERS[wrapper](given.state_dict())), given)


def test_what_is_left_out_is_said() -> None:
    state = net().state_dict() | {"n_averaged": torch.tensor(1), "criterion.weight": torch.ones(5)}
    (note,) = load(saved(state), "net.pth").notes
    assert "n_averaged" in note
    assert "criterion.weight" in note


def test_two_networks_in_a_file_are_both_offered() -> None:
    first, second = net(), trained(build(SMALL), seed=7)
    data = saved({"model_ema": second.state_dict(), "model": first.state_dict()})
    assert load(data, "net.pth").copies == ("model", "model_ema")
    answers_like(data, first)
    answers_like(data, second, answers=Answers(network="model_ema"))
    refused(data, "choose one of model, model_ema", answers=Answers(network="else"))
    flat = {f"q.{k}": v for k, v in first.state_dict().items()} | {f"k.{k}": v for k, v in second.state_dict().items()}
    answers_like(saved(flat), second, answers=Answers(network="k"))


class Anything:
    """Of a class that the reader has never seen."""


@pytest.mark.parametrize("beside", [np.float64(0.9), Path("runs"), argparse.Namespace(lr=0.1), collections.Counter("ab"), Anything(),
                                    {1, 2}, np.arange(3), torch.Size([2]), 10**40, b"raw"], ids=lambda thing: type(thing).__name__)  # fmt: skip
def test_what_lies_beside_the_weights_is_no_obstacle(beside: object) -> None:
    given = net()
    answers_like(saved({"state_dict": given.state_dict(), "extra": beside}), given)


def test_a_module_that_was_saved_whole_is_read_without_its_code() -> None:
    given = net()
    answers_like(saved(nn.DataParallel(given)), given)
    answers_like(saved({"model": given}), given)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Call:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (canary,)

    answers_like(saved({"state_dict": net().state_dict(), "extra": Call()}), net())
    assert not canary.exists()


@pytest.mark.parametrize("kind", [NumberedResNet, PreActResNet])
def test_layouts_of_well_known_repositories(kind: type[nn.Module]) -> None:
    given = trained(kind())
    answers_like(saved({"net": {f"module.{k}": v for k, v in given.state_dict().items()}, "acc": 93.1}), given)


def test_the_layout_of_transformers() -> None:
    from torchvision.models import resnet50

    given = trained(resnet50(num_classes=4))
    data = safe(as_transformers(given.state_dict()), {"format": "pt"})
    found = load(data, "model.safetensors")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(found.net(x), given(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("averages", [True, False])
@pytest.mark.parametrize(("blocks", "bottleneck"), [((2, 1, 2), False), ((1, 2), True)])
def test_the_deep_stem_and_the_averaging_skips_of_timm(blocks: tuple[int, ...], bottleneck: bool, averages: bool) -> None:
    given = trained(TimmResNet(blocks, bottleneck, averages))
    data = saved({"state_dict": {f"module.{key}": value for key, value in given.state_dict().items()}})
    found = load(data, "resnet26d.pth.tar")
    block, shortcut = Block.BOTTLENECK if bottleneck else Block.BASIC, Shortcut.D if averages else Shortcut.B
    assert found.spec == NetSpec(block, blocks, Stem.DEEP, 8, shortcut=shortcut, classes=7)
    assert (found.preprocessing.crop, {guess.field for guess in found.guesses}) == (
        224,
        {"activation", "classes", "size", "mean"},
    )
    for side in (64, 75):  # at an odd side a mean is of fewer pixels
        x = torch.randn(2, 3, side, side)
        with torch.no_grad():
            assert torch.equal(found.net(x), given(x))
            assert torch.allclose(found.fast_view(fused=True)(x), given(x), rtol=1e-3, atol=1e-3)
    answers_like(data, given)


VARIANTS = {
    "deep stem": lambda s: s | {"conv1.9.weight": torch.zeros(8, 8, 3, 3)},
    "anti-aliased": lambda s: s | {"layer2.0.downsample.0.filt": torch.zeros(8, 1, 3, 3)},
    "squeeze-and-excitation": lambda s: s | {"layer1.0.se.fc1.weight": torch.zeros(4, 8, 1, 1)},
    "several linear layers": lambda s: {k.replace("fc.", "fc.0."): v for k, v in s.items()} | {"fc.2.weight": torch.zeros(3, 5)},
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_that_cannot_be_built_are_named(variant: str) -> None:
    refused(saved(VARIANTS[variant](net().state_dict())), variant)


# ------------------------------------------------------------------------------------------ what a file cannot say


class Pooled(nn.Module):
    """A 3×3 stem with the max pool kept."""

    def __init__(self, of: ResNet) -> None:
        super().__init__()
        self.of = of
        of.maxpool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.of(x)


def regrouped(of: ResNet, groups: int) -> ResNet:
    for module in of.modules():
        if isinstance(module, nn.GroupNorm):
            module.num_groups = groups
    return of


def test_what_the_file_cannot_say_is_said_and_may_be_told() -> None:
    plain = replace(SMALL, shortcut=Shortcut.A).plain()
    pairs = {
        "plain": (net(plain), Answers(plain=True)),
        "activation": (net(replace(SMALL, activation=Activation.TANH)), Answers(activation=Activation.TANH)),
        "pool": (Pooled(net()), Answers(pool=True)),
        "groups": (regrouped(net(replace(SMALL, norm=Norm.GROUP)), 4), Answers(groups=4)),
        "preact": (net(replace(SMALL, norm=Norm.NONE, block=Block.PREACT_BASIC)), Answers(preact=True)),
    }
    for field, (given, answers) in pairs.items():
        data = saved({key.removeprefix("of."): value for key, value in given.state_dict().items()})
        assert field in fields(data)
        assert field not in fields(data, answers)
        answers_like(data, given, answers=answers)
    assert {"classes", "size", "mean"} <= fields(data)
    told = Answers(classes=tuple("vwxyz"), size=48, mean=(0.5,) * 3, std=(0.25,) * 3)
    found = load(data, "net.pth", told)
    assert found.categories == tuple("vwxyz")
    assert (found.preprocessing.crop, found.preprocessing.mean, found.preprocessing.std) == (48, (0.5,) * 3, (0.25,) * 3)
    assert not {"classes", "size", "mean"} & {guess.field for guess in found.guesses}


@pytest.mark.parametrize(
    "departs", [{"groups": -4}, {"groups": 0}, {"groups": 7}, {"groups": "4"}, {"groups": None}, [], {"pool": "no"}]
)
def test_a_card_whose_departures_make_no_sense_is_not_used(departs: Any) -> None:
    kept = load(saved(regrouped(net(replace(SMALL, norm=Norm.GROUP)), 4).state_dict()), "net.pth", Answers(groups=4))
    found = load(checkpoint_of(kept, card_of(kept) | {"departs": departs}), "net.safetensors")
    assert not found.net.variant.pool
    if departs not in ([], {"groups": None}, {"pool": "no"}):
        assert any("is not used" in note for note in found.notes)


def drawn(empty: ResNet) -> ResNet:
    full = empty.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    for value in full.state_dict().values():
        if value.is_floating_point():
            value.copy_(0.1 + 0.1 * torch.rand(value.shape, generator=generator))
    return full


@pytest.mark.parametrize("field", ["plain", "activation", "pool", "groups", "preact", "bare"])
def test_what_was_told_once_stands_in_the_card_of_what_is_kept(field: str) -> None:
    group = regrouped(net(replace(SMALL, norm=Norm.GROUP)), 4)
    given, answers = {
        "plain": (net(replace(SMALL, shortcut=Shortcut.A).plain()), Answers(plain=True)),
        "activation": (net(replace(SMALL, activation=Activation.TANH)), Answers(activation=Activation.TANH)),
        "pool": (Pooled(net()), Answers(pool=True)),
        "groups": (group, Answers(groups=4)),
        "preact": (net(replace(SMALL, norm=Norm.NONE, block=Block.PREACT_BASIC)), Answers(preact=True)),
        "bare": (drawn(skeleton(replace(SMALL, block=Block.PREACT_BASIC), Variant(bare=True))), Answers()),
    }[field]
    data = saved({key.removeprefix("of."): value for key, value in given.state_dict().items()})
    kept = load(data, "net.pth", answers)
    again = load(checkpoint_of(kept), "kept.safetensors")
    assert (again.spec, again.net.variant, again.notes) == (kept.spec, kept.net.variant, ())
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.net(x), kept.net(x))


@pytest.mark.parametrize("answers", [{"size": 0}, {"size": 10**6}, {"mean": (float("nan"),) * 3}, {"std": (0.0,) * 3}, {"groups": 0},
                                     {"mean": (0.5,)}, {"classes": ("a", "b")}, {"mean": (0.5, 0.5)}])  # fmt: skip
def test_answers_are_checked(answers: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError):
        load(saved(net().state_dict()), "net.pth", Answers(**answers))


def test_groups_must_divide() -> None:
    refused(saved(net(replace(SMALL, norm=Norm.GROUP)).state_dict()), "7 groups do not divide", answers=Answers(groups=7))


CUT = replace(SMALL, activation=Activation.GELU, cut=frozenset({"layer1.1"}), dropped=frozenset({"layer1.0"}))
CARD = {
    "spec": to_query_string(CUT),
    "categories": list("abcde"),
    "image_size": 40,
    "resize": 44,
    "mean": [0.1] * 3,
    "std": [0.3] * 3,
}


def test_a_card_beside_or_inside_the_file_says_what_the_tensors_cannot() -> None:
    given = net(CUT)
    inside = safe(given.state_dict(), {"card": json.dumps(CARD)})
    for found in (
        load(inside, "net.safetensors"),
        load(saved(given.state_dict()), "net.pth", card=json.dumps(CARD)),
    ):
        assert found.spec == CUT
        assert found.guesses == ()
        assert found.categories == tuple("abcde")
        assert (found.preprocessing.crop, found.preprocessing.resize, found.preprocessing.mean) == (40, 44, (0.1,) * 3)
    answers_like(inside, given)


@pytest.mark.parametrize("card", ["{", "[]", "3", "{}", json.dumps(CARD | {"mean": "red"}), json.dumps(CARD | {"spec": "blocks=9-9-9"}),
                                  json.dumps(CARD | {"categories": ["a"]}), json.dumps(CARD | {"image_size": 10**9}), "[" * 100_000])  # fmt: skip
def test_a_damaged_or_foreign_card_is_said_and_not_used(card: str) -> None:
    found = load(saved(net().state_dict()), "net.pth", card=card)
    assert "card" in found.notes[0]
    assert len(found.notes[0]) < 300
    assert {"activation", "classes"} <= {guess.field for guess in found.guesses}


def test_class_names_in_the_checkpoint_are_used() -> None:
    state = net().state_dict()
    names = ["ant", "bee", "cat", "dog", "elk"]
    for entry in (
        {"classes": names},
        {"class_to_idx": {n: i for i, n in reversed(list(enumerate(names)))}},
        {"meta": {"class_names": names}},
    ):
        found = load(saved({"state_dict": state} | entry), "net.pth")
        assert found.categories == tuple(names)
        assert "classes" not in {guess.field for guess in found.guesses}
    assert load(saved({"state_dict": state, "classes": ["x", "x", "x", "y", "z"]}), "n").categories[:3] == ("x", "x (1)", "x (2)")
    assert load(saved({"state_dict": state, "classes": ["only"]}), "net.pth").categories[0] == "class 0"


# ------------------------------------------------------------------------------------------ what is no network

VALID = [
    replace(SMALL, blocks=(1,), shortcut=Shortcut.C),
    replace(SMALL, shortcut=Shortcut.C),
    replace(SMALL, block=Block.BOTTLENECK, width=12, groups=3),
    replace(SMALL, block=Block.BOTTLENECK, width=16, width_per_group=5, blocks=(1, 1, 1)),
    replace(SMALL, block=Block.PREACT_BOTTLENECK, blocks=(1, 2)),
    replace(SMALL, block=Block.PREACT_BASIC, blocks=(1, 1)),
    replace(SMALL, norm=Norm.NONE),
    replace(SMALL, in_channels=1),
    replace(SMALL, blocks=(1,), shortcut=Shortcut.A),
    replace(SMALL, stem=Stem.IMAGENET, classes=1000),
    replace(SMALL, stem=Stem.DEEP, width=7, shortcut=Shortcut.A),
    replace(SMALL, stem=Stem.DEEP, shortcut=Shortcut.D, norm=Norm.NONE),
    replace(SMALL, block=Block.PREACT_BOTTLENECK, stem=Stem.DEEP, shortcut=Shortcut.D),
    replace(SMALL, block=Block.BOTTLENECK, width=12, groups=3, shortcut=Shortcut.D),
]


@pytest.mark.parametrize("spec", VALID, ids=to_query_string)
def test_valid_networks_of_ours_load(spec: NetSpec) -> None:
    given = net(spec)
    answers_like(saved(given.state_dict()), given)


def test_a_grey_network_is_shown_grey_pictures() -> None:
    from PIL import Image

    found = load(saved(net(replace(SMALL, in_channels=1)).state_dict()), "net.pth")
    red = Image.new("RGB", (40, 40), (255, 0, 0))
    assert found.preprocessing.tensor(red).shape == (1, 1, 32, 32)
    assert found.preprocessing.seen(red).getpixel((3, 3)) == (76, 76, 76)  # ITU-R 601's luma of red
    with torch.no_grad():
        assert torch.isfinite(found.net(found.preprocessing.tensor(red))).all()


def changed(**tensors: Tensor) -> bytes:
    return saved(net().state_dict() | {key.replace("__", "."): value for key, value in tensors.items()})


TIERED = trained(build(replace(SMALL, stem=Stem.DEEP))).state_dict() | {"conv1.0.weight": torch.zeros(3, 3, 3, 3)}
WEIGHT = net().state_dict()["layer1.0.conv1.weight"]
BAD = {
    "four channels": (saved(net(replace(SMALL, in_channels=4)).state_dict()), "4 channels"),
    "two channels": (saved(net(replace(SMALL, in_channels=2)).state_dict()), "2 channels"),
    "one class": (saved(net(replace(SMALL, classes=1)).state_dict()), "1 output"),
    "NaN": (changed(layer1__0__conv1__weight=WEIGHT.where(WEIGHT[0, 0, 0, 0] != WEIGHT, torch.nan)), r"layer1\.0\.conv1\.weight"),
    "infinite": (changed(bn1__bias=torch.full((8,), torch.inf)), r"bn1\.bias.*not finite"),
    "overflow on the way": (changed(fc__weight=torch.full((5, 16), 3e38)), "not finite"),
    "negative variance": (changed(bn1__running_var=-torch.ones(8)), r"bn1\.running_var holds negative variances"),
    "no channels": (changed(conv1__weight=torch.zeros(0, 3, 3, 3)), r"conv1\.weight"),
    "two dimensions": (changed(conv1__weight=torch.zeros(8, 27)), r"conv1\.weight has shape \(8, 27\)"),
    "5×5": (changed(conv1__weight=torch.zeros(8, 3, 5, 5)), "5×5"),
    "quantised": (changed(fc__weight=torch.quantize_per_tensor(torch.ones(5, 16), 0.1, 0, torch.qint8)), "quantised"),
    "sparse": (changed(fc__weight=torch.ones(5, 16).to_sparse()), "sparse"),
    "meta": (changed(fc__weight=torch.zeros(5, 16, device="meta")), "without numbers"),
    "integers": (changed(bn1__weight=torch.ones(8, dtype=torch.int32)), r"bn1\.weight holds int32"),
    "complex": (changed(bn1__weight=torch.ones(8, dtype=torch.complex64)), "Complex"),
    "too wide a block": (changed(layer2__0__conv1__weight=torch.zeros(99, 8, 3, 3)), r"layer2\.0\.conv1\.weight has shape"),
    "a layer too many": (changed(layer1__0__conv9__weight=torch.zeros(2)), r"unexpected layer1\.0\.conv9\.weight"),
    "a stem in tiers": (saved(TIERED), "deep stem makes 3, 4 and 8 channels"),
    "half a deep stem": (saved({k: v for k, v in TIERED.items() if not k.startswith("conv1.3")}), r"'conv1\.3\.weight' is missing"),
    "a wide stem": (saved({**net().state_dict(), "conv1.weight": torch.zeros(4, 3, 3, 3)}), "stem has 4 channels"),
    "no network": (saved({"features.0.weight": torch.zeros(2)}), "features"),
    "a close miss": (saved({k.replace("conv1.weight", "conv_1.weight"): v for k, v in net().state_dict().items()}), "conv_1"),
    "an entry alone": (saved({"epoch": 3, "best": 0.9}), "epoch, best"),
    "a list": (saved([1, 2]), "list"),
    "empty": (b"", "empty"),
    "half": (saved(net().state_dict())[:9000], "cut off"),
    "half a safetensors": (safe(net().state_dict())[:9000], "cut off"),
    "half a legacy": (saved(net().state_dict(), _use_new_zipfile_serialization=False)[:9000], "read as weights"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
    "a page": (b"<!DOCTYPE html>", "web page"),
    "a zip": ((lambda b: (zipfile.ZipFile(b, "w").writestr("a.txt", "a"), b.getvalue())[1])(io.BytesIO()), "."),
    "a pickle": (pickle.dumps({"a": 1}), "torch.save"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_network_is_one_sentence(kind: str) -> None:
    refused(*BAD[kind])


def test_a_whole_program_is_refused_by_its_kind() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), buffer)
    refused(buffer.getvalue(), "TorchScript")


# ------------------------------------------------------------------------------------------ hostile files


def packed(pickled: bytes, compression: int = zipfile.ZIP_STORED, **records: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, content in records.items():
            archive.writestr(f"archive/data/{key}", content)
    return buffer.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return bytearray, (2**31 - 1,)


def headed(header: bytes, claimed: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if claimed is None else claimed) + header


HOSTILE = {
    "deflated record": lambda: packed(zipfile.ZipFile(io.BytesIO(saved(net().state_dict()))).read("archive/data.pkl"),
                                      zipfile.ZIP_DEFLATED, **{"0": bytes(50_000_000)}),
    "a bytearray of 2 GB": lambda: packed(pickle.dumps({"a": Bomb()}, 2)),
    "a bytearray opcode of 8 EB": lambda: packed(b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b"."),
    "a place in the memo of 4 billion": lambda: packed(b"\x80\x02}r\xff\xff\xff\xff."),
    "a million keys": lambda: saved({str(n): n for n in range(1_000_000)}),
    "a million keys in safetensors": lambda: headed(
        ("{" + ",".join(f'"{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for n in range(1_000_000)) + "}").encode()),
    "a header of 8 EB": lambda: headed(b"{}", 2**62),
    "deep nesting": lambda: headed(b"{" + b'"a":[' * 100_000),
    "a key of 100 kB": lambda: saved({"k" * 100_000 + "\n": torch.zeros(2)}),
    "a key with a line break": lambda: saved(net().state_dict() | {"layer1.0.a\nb\x1b[31m": torch.zeros(2)}),
    "a stretched tensor": lambda: changed(layer1__0__conv1__weight=torch.zeros(1).expand(8, 8, 3, 3)),
    "a cycle": lambda: (lambda d: (d.update(d=d), saved(d))[1])({}),
    "many networks": lambda: saved({f"{n}.layer1.0.conv1.weight": torch.zeros(1) for n in range(20_000)}),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_soon_and_in_little_memory(kind: str) -> None:
    data = HOSTILE[kind]()
    with at_most(600e6):
        refused(data, "^(?!.*(MemoryError|allocate))")


@contextlib.contextmanager
def at_most(more: float) -> Iterator[None]:
    """Not more memory than now and so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + int(more), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_reading_can_be_cancelled_and_reports() -> None:
    data = saved({"state_dict": net().state_dict(), "log": list(range(50_000))})
    heard: list[float] = []

    def tick(fraction: float, note: str = "", partial: Any = None) -> bool:
        heard.append(fraction)
        if len(heard) == 4:
            raise Cancelled
        return False

    with pytest.raises(Cancelled):
        load(data, "net.pth", tick=tick)
    assert heard == sorted(heard)


# ------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    "file", ["...pth", "=HYPERLINK(1).pth", "a/../b.pth", "resnet20-cifar10.safetensors", "..", "a\nb.pth", "x" * 300]
)
def test_a_files_name_is_no_path_no_formula_and_no_bundled_name(file: str) -> None:
    name = load(saved(net().state_dict()), file).name
    assert name
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?*')
    assert name[0] not in ".=+-@"
    assert len(name) <= 80
    assert name not in {path.stem for path in CHECKPOINTS.glob("*.json")}


def test_the_projects_own_file_is_what_its_card_says() -> None:
    bundled = load_bundled("plain20-cifar10")
    data = (CHECKPOINTS / "plain20-cifar10.safetensors").read_bytes()
    card = (CHECKPOINTS / "plain20-cifar10.json").read_text(encoding="utf-8")
    found = load(data, "plain20-cifar10.safetensors", card=card)
    assert (found.spec, found.categories, found.preprocessing) == (bundled.spec, bundled.categories, bundled.preprocessing)
    assert found.guesses == ()
    assert "plain" in {guess.field for guess in load(data, "plain20-cifar10.safetensors").guesses}


def test_a_method_that_does_not_fit_says_why() -> None:
    from PIL import Image

    from resviz.attribution.question import Asked, Case, attribute

    for spec, words in (
        (replace(SMALL, norm=Norm.GROUP), "has no rule for the group norm"),
        (replace(SMALL, activation=Activation.TANH), "needs ReLUs, and this network has tanh"),
    ):
        found = load(saved(net(spec).state_dict()), "net.pth", Answers(activation=spec.activation))
        with pytest.raises(ValueError, match=words):
            attribute(Case(found, Image.new("RGB", (32, 32)), 0), Asked("lrp"))
