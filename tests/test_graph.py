"""Networks as ONNX, torch.export and safetensors: the same numbers, any batch, and skips that can be counted."""

from __future__ import annotations

import io
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from resviz.cli import main
from resviz.export.graph import as_onnx, as_safetensors, as_torch_export, example
from resviz.nets.build import build
from resviz.spec.families import ALL_PRESETS, Network
from resviz.spec.net import NetSpec, Norm, Shortcut, Stem
from resviz.spec.query import from_query
from resviz.zoo.bundled import load_bundled

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

# the operation that joins, and how many skips there are
NETS: dict[str, tuple[Network, str, int]] = {
    "a ResNet": (NetSpec(blocks=(1, 1, 1)), "Add", 3),
    "one with a skip cut": (NetSpec(blocks=(1, 1, 1), cut=frozenset({"layer2.0"})), "Add", 2),
    "without norm": (NetSpec(blocks=(1, 1, 1), norm=Norm.NONE), "Add", 3),
    "a ResNet-D": (NetSpec(blocks=(1, 1, 1), stem=Stem.DEEP, shortcut=Shortcut.D), "Add", 3),
    "one of odd sides": (NetSpec(blocks=(1, 1, 1, 1, 1, 1), width=4, stem=Stem.DEEP, shortcut=Shortcut.D), "Add", 6),
    "a DenseNet": (from_query("family=densenet&blocks=2-2")[0], "Concat", 4),
    "a Transformer": (replace(ALL_PRESETS["vit_digits"], num_layers=2), "Add", 4),
    "of symbols": (replace(ALL_PRESETS["transformer_copy"], num_layers=2), "Add", 4),
    "a U-Net": (ALL_PRESETS["unet_small"], "Concat", 3),
    "of points": (ALL_PRESETS["plain_mlp20"], "Add", 0),
}


@pytest.mark.parametrize("name", NETS)
def test_onnx_gives_the_same_logits_for_any_batch_and_shows_the_skips(name: str) -> None:
    spec, join, skips = NETS[name]
    data = as_onnx(spec)
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    (read,) = session.get_inputs()
    inputs = example(spec, 5)
    (logits,) = session.run(None, {read.name: inputs.numpy()})
    with torch.no_grad():
        expected = build(spec).eval()(inputs).numpy()
    assert (read.name, logits.shape) == ("images", expected.shape)
    assert np.abs(logits - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    graph = onnx.load_from_string(data).graph
    weights = {each.name for each in graph.initializer}  # whose additions are biases
    joins = Counter(node.op_type for node in graph.node if not weights & set(node.input))
    assert joins[join] == skips


@pytest.mark.parametrize("name", ["a ResNet", "a Transformer", "a U-Net"])
def test_torch_export_is_read_without_us_and_agrees(name: str) -> None:
    spec = NETS[name][0]
    program = torch.export.load(io.BytesIO(as_torch_export(spec)))
    inputs = example(spec, 3)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(inputs), build(spec).eval()(inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_safetensors_hold_every_weight_and_the_network(name: str) -> None:
    from safetensors import safe_open
    from safetensors.torch import load

    spec = NETS[name][0]
    data = as_safetensors(spec)
    other = build(replace(spec, seed=7))
    other.load_state_dict(load(data))
    inputs = example(spec)
    with torch.no_grad():
        assert torch.equal(other.eval()(inputs), build(spec).eval()(inputs))
    header = data[8 : 8 + int.from_bytes(data[:8], "little")].decode()
    assert safe_open is not None
    assert "__metadata__" in header


def test_without_onnx_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ValueError, match=r"pip install 'resviz\[onnx\]'"):
        as_onnx(NETS["a ResNet"][0])


@pytest.mark.parametrize(
    ("form", "ending"), [("onnx", "onnx"), ("torchexport", "pt2"), ("safetensors", "safetensors"), ("notebook", "ipynb")]
)
def test_the_command_writes_each_form(form: str, ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"net.{ending}"
    assert main(["export", "blocks=1-1-1", "--to", form, "--out", str(out)]) == 0
    assert f"{out.stat().st_size:,} bytes" in capsys.readouterr().out
    assert main(["export", "blocks=1-1-1", "--to", form, "--out", str(tmp_path / "net.txt")]) == 2


def test_a_bundled_network_leaves_with_what_it_has_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from safetensors.torch import load_file

    name, out = "resnet20-digits-0", tmp_path / "net.safetensors"
    assert main(["export", name, "--to", "safetensors", "--out", str(out)]) == 0
    trained = load_bundled(name)
    other = build(trained.spec)
    other.load_state_dict(load_file(out))
    inputs = example(trained.spec, 3, trained.preprocessing.crop)
    with torch.no_grad():
        assert torch.equal(other.eval()(inputs), trained.net(inputs))
    assert main(["export", name, "--to", "onnx", "--out", str(tmp_path / "net.onnx")]) == 0
    (read,) = (session := ort.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])).get_inputs()
    assert list(read.shape[1:]) == list(inputs.shape[1:])
    (logits,) = session.run(None, {read.name: inputs.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(logits, trained.net(inputs).numpy(), atol=1e-4)
    capsys.readouterr()
    assert main(["export", name, "--to", "code"]) == 2
    assert "take one of onnx, torchexport, safetensors" in capsys.readouterr().err
