"""A network as one file of PyTorch: run where there is no resviz, it gives the same logits to the bit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
import torch
import torchvision

from resviz.cli import main
from resviz.export.code import code, timm_call, torchvision_call
from resviz.nets.build import build, skeleton
from resviz.spec.choices import Activation, Around, Block, BranchScale, Carry, Init, Norm, NormPlace, Shortcut, Stem
from resviz.spec.dense import DENSE_PRESETS
from resviz.spec.families import ALL_PRESETS, Network, side_of
from resviz.spec.net import NetSpec
from resviz.spec.plane import PLANE_PRESETS, Feature
from resviz.spec.presets import PRESETS
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.spec.unet import UNET_PRESETS, UNetSpec

_ROOT = Path(__file__).resolve().parents[1]
_ALONE = """
import importlib.util, runpy, sys, torch
assert importlib.util.find_spec("resviz") is None
torch.set_num_threads(int(sys.argv[2]))
for name, x, logits in torch.load(sys.argv[1] + "/asked.pt"):
    net = runpy.run_path(f"{sys.argv[1]}/{name}.py")["build"]()
    with torch.no_grad():
        for found, expected in zip((net.eval()(x), net.train()(x)), logits):
            if not torch.equal(found.nan_to_num(7.0), expected.nan_to_num(7.0)):
                print(name, "eval" if expected is logits[0] else "train", (found - expected).abs().max())
"""


def differing(nets: dict[str, Network], folder: Path) -> str:
    """What a process that knows PyTorch alone says of each file whose logits are not the network's, trained or while it trains."""
    asked = []
    for name, spec in nets.items():
        (folder / f"{name}.py").write_text(code(spec), encoding="utf-8")
        shape = (2, spec.in_channels, *[side_of(spec, 16, 32)] * 2)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        if isinstance(spec, TransformerSpec) and spec.vocabulary:
            x = (x * 10).long() % spec.vocabulary
        net = build(spec)
        with torch.no_grad():
            asked.append((name, x, (net.eval()(x), net.train()(x))))
    torch.save(asked, folder / "asked.pt")
    command = [sys.executable, "-I", "-c", _ALONE, str(folder), str(torch.get_num_threads())]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def tidy(folder: Path) -> str:
    """What ruff finds in a folder's files, or how it would write them."""
    found = ""
    for command in (("check", "--quiet"), ("format", "--diff", "--quiet")):
        asked = [sys.executable, "-m", "ruff", *command, "--config", str(_ROOT / "pyproject.toml"), str(folder)]
        found += subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return found


def _some(spec: NetSpec) -> frozenset[str]:
    return frozenset(list(spec.block_names())[1::2])


def _slim(spec: NetSpec) -> NetSpec:
    """A network for photographs with a quarter of its channels, which changes two numbers of its file."""
    return spec if spec.width < 64 else replace(spec, width=16, classes=10)


def _resnets() -> Iterator[tuple[str, NetSpec]]:
    for name, preset in PRESETS.items():
        spec = _slim(preset)
        yield name, spec
        if sum(spec.blocks) > 16:
            continue
        yield f"{name}_none", replace(spec, norm=Norm.NONE)
        yield f"{name}_zero_gamma", replace(spec, init=Init.ZERO_GAMMA)
        if spec.residual:
            yield f"{name}_some_cut", replace(spec, cut=_some(spec))
            yield f"{name}_all_cut", replace(spec, cut=frozenset(spec.block_names()))


_CARRIES = [each for each in Carry if each is not Carry.DROPOUT]  # which draws at random while training


def _ways() -> Iterator[tuple[str, NetSpec]]:
    """One small network for each thing that a ResNet's spec can choose, for every unit that can have it."""
    for block in Block:
        base = NetSpec(block, (1, 2), width=8, seed=3)
        changes: list[dict[str, object]] = [
            *({"shortcut": each, "norm": norm} for each, norm in zip(Shortcut, cycle(Norm), strict=False)),
            *({"shortcut": Shortcut.D, "stem": Stem.DEEP, "norm": norm, "width": 7} for norm in Norm),
            {"init": Init.ZERO_GAMMA, "activation": Activation.GELU},
            {"norm": Norm.NONE, "init": Init.FIXUP, "blocks": (2, 1, 1), "classes": 7, "in_channels": 1},
            {"dropped": frozenset({"layer1.0"}), "cut": frozenset({"layer2.1"}), "shortcut": Shortcut.B},
        ]
        if block.bottleneck:
            changes += [{"groups": 4, "width_per_group": 16}, {"width_per_group": 128}]
        if block in (Block.BASIC, Block.PREACT_BOTTLENECK):
            changes += [
                *({"activation": each, "norm": Norm.GROUP} for each in Activation),
                *({"init": each, "norm": norm} for each in (Init.XAVIER, Init.PYTORCH) for norm in (Norm.GROUP, Norm.NONE)),
                *({"scale": each, "cut": frozenset({"layer2.1"})} for each in BranchScale),
                {"norm": Norm.NONE, "init": Init.FIXUP, "scale": BranchScale.LEARNED},
                {"blocks": (1,)},
                {"blocks": (2,), "carry": Carry.GATED},
                *({"carry": each, "shortcut": kind} for each in _CARRIES for kind in Shortcut),
                *({"carry": each, "cut": frozenset({"layer2.1"}), "blocks": (2, 2)} for each in _CARRIES),
            ]
        for n, change in enumerate(changes):
            yield f"{block}_{n}".replace("-", "_"), replace(base, **change)
        yield f"{block}_plain".replace("-", "_"), base.plain()


def test_resnets_of_the_papers_need_no_resviz(tmp_path: Path) -> None:
    nets: dict[str, Network] = dict(_resnets())
    # a thousand layers that have not learned end in no number, and take as long as all others; their file differs in numbers alone
    assert not differing({name: spec for name, spec in nets.items() if sum(spec.blocks) <= 60}, tmp_path)
    assert not tidy(tmp_path)
    assert max(len(code(spec).splitlines()) for spec in nets.values()) <= 150


def test_every_choice_of_a_resnet_is_in_the_file(tmp_path: Path) -> None:
    nets: dict[str, Network] = dict(_ways())
    assert not differing(nets, tmp_path)
    assert not tidy(tmp_path)
    assert max(len(code(spec).splitlines()) for spec in nets.values()) <= 150


def _transformers() -> Iterator[tuple[str, Network]]:
    for name, preset in TRANSFORMER_PRESETS.items():
        spec = preset if preset.image < 224 else replace(preset, image=2 * preset.patch, dim=8 * preset.heads)
        yield name, spec
        for norm in NormPlace:
            yield f"{name}_{norm}", replace(spec, norm=norm, activation=Activation.RELU, mlp=1)
        yield f"{name}_pytorch", replace(spec, init=Init.PYTORCH, seed=5)
        if spec.residual:
            layers = list(spec.block_names())
            yield f"{name}_cut", replace(spec, cut=frozenset(layers[1::3]))
            yield f"{name}_all_cut", replace(spec, cut=frozenset(layers), norm=NormPlace.POST)
            yield f"{name}_attention", replace(spec, around=Around.ATTENTION, mlp=0)
            yield f"{name}_around", replace(spec, around=Around.MLP, norm=NormPlace.NONE)
            for norm in NormPlace:
                yield (
                    f"{name}_dropped_{norm}",
                    replace(spec, norm=norm, cut=frozenset(layers[::4]), dropped=frozenset(layers[1::4])),
                )


def _planes() -> Iterator[tuple[str, Network]]:
    for name, spec in PLANE_PRESETS.items():
        yield name, spec
        for norm in Norm:
            for init, activation in zip(spec.inits(), Activation, strict=False):
                yield f"{name}_{norm}_{init}", replace(spec, norm=norm, init=init, activation=activation, seed=2)
        if spec.residual:
            names = list(spec.block_names())
            yield f"{name}_cut", replace(spec, cut=frozenset(names[::2]), features=tuple(Feature))
            yield f"{name}_all_cut", replace(spec, cut=frozenset(names), features=(Feature.SIN_Y,))
            yield f"{name}_dropped", replace(spec, dropped=frozenset(names[::2]), norm=Norm.BATCH, features=(Feature.X2,))


def _densenets() -> Iterator[tuple[str, Network]]:
    for name, preset in DENSE_PRESETS.items():
        spec = replace(preset, growth=4, width=8, classes=10)
        yield name, spec
        if sum(spec.blocks) > 60 or "plain" in name:
            continue
        layers = list(spec.block_names())
        yield f"{name}_none", replace(spec, norm=Norm.NONE, init=Init.PYTORCH)
        yield f"{name}_group", replace(spec, norm=Norm.GROUP, activation=Activation.GELU, init=Init.XAVIER, seed=4)
        yield f"{name}_cut", replace(spec, cut=frozenset(layers[::3]), dropped=frozenset(layers[1::3]))
        yield f"{name}_all_cut", replace(spec, cut=frozenset(layers))
        yield f"{name}_severed", spec.reading(layers[5]).reading(layers[3], 1).reading(layers[-1], 0)
    yield "one_block", replace(DENSE_PRESETS["densenet40_k12"], blocks=(3,))


def _unets() -> Iterator[tuple[str, Network]]:
    for name, preset in UNET_PRESETS.items():
        spec = replace(preset, width=4)
        yield name, spec
        yield f"{name}_group", replace(spec, norm=Norm.GROUP, init=Init.XAVIER, activation=Activation.TANH, seed=9)
        yield f"{name}_none", replace(spec, norm=Norm.NONE, init=Init.PYTORCH)
        if spec.residual:
            skips = spec.skips()
            yield f"{name}_cut", replace(spec, cut=frozenset(skips[::2]))
            yield f"{name}_all_cut", replace(spec, cut=frozenset(spec.block_names()))
            yield f"{name}_dropped", replace(spec, dropped=frozenset([each for each in skips if spec.drops(each)][1::2]))
    yield "one_level", UNetSpec((1, 2), 4)


@pytest.mark.parametrize("family", [_unets, _densenets, _transformers, _planes])
def test_other_families_need_no_resviz(family: Callable[[], Iterator[tuple[str, Network]]], tmp_path: Path) -> None:
    nets = dict(family())
    assert not differing(nets, tmp_path)
    assert not tidy(tmp_path)
    assert max(len(code(spec).splitlines()) for spec in nets.values()) <= 150


def test_what_is_drawn_at_random_while_training_is_the_same_when_trained(tmp_path: Path) -> None:
    base = NetSpec(blocks=(2, 2), width=8)
    nets: dict[str, Network] = {
        "dropout": replace(base, carry=Carry.DROPOUT),
        "depth": replace(base, survival=50),
        "both": replace(base, carry=Carry.DROPOUT, survival=50, scale=BranchScale.LEARNED),
    }
    said = differing(nets, tmp_path)
    assert " eval " not in said
    # while training each draws its own, which for a few blocks that survive or not may be the same by chance
    assert {"dropout", "both"} <= {line.split()[0] for line in said.splitlines()}
    assert not tidy(tmp_path)


def test_the_command_prints_or_writes_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(("export", "resnet50", "--to", "code")) == 0
    assert capsys.readouterr().out == code(PRESETS["resnet50"])
    assert main(("export", "net=resnet20&cut=2.1", "--to", "code", "--out", str(tmp_path / "net.py"))) == 0
    assert 'CUT = "2.1"' in (tmp_path / "net.py").read_text(encoding="utf-8")
    assert main(("export", "resnet50", "--to", "code", "--out", str(tmp_path / "net.txt"))) == 2
    assert "has no known ending" in capsys.readouterr().err


def test_torchvision_makes_what_its_call_says() -> None:
    """The same names and shapes; of a small one with the same weights the same logits."""
    called = {call: spec for spec in ALL_PRESETS.values() if (call := torchvision_call(spec))}
    assert len(called) == 16
    for call, spec in called.items():
        with torch.device("meta"):
            theirs = eval(call, {"torchvision": torchvision})
        ours = {name: weight.shape for name, weight in skeleton(spec).state_dict().items()}
        assert {name: weight.shape for name, weight in theirs.state_dict().items()} == ours
    small = replace(PRESETS["resnet18"], classes=7, init=Init.ZERO_GAMMA)
    call = torchvision_call(small)
    assert call == "torchvision.models.resnet18(num_classes=7, zero_init_residual=True)"
    theirs, ours, x = eval(call, {"torchvision": torchvision}).eval(), build(small).eval(), torch.randn(1, 3, 64, 64)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))
    assert timm_call(small) == 'timm.create_model("resnet18", num_classes=7, zero_init_last=True)'


def test_what_no_library_has_is_no_call() -> None:
    base = PRESETS["resnet50"]
    for spec in (PRESETS["resnet56"], base.plain(), replace(base, cut=frozenset({"layer1.0"})), replace(base, in_channels=1)):
        assert torchvision_call(spec) is None is timm_call(spec)
