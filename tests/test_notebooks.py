"""Notebooks that make a figure again: they are valid, run by themselves, and print what the pages compute."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from resviz.attribution.question import Asked, Case, attribute
from resviz.data.datasets import probed, sets_of
from resviz.export.notebook import build_notebook, explain_notebook, gradients_notebook, lab_notebook
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.probes.gradients import gradient_probe
from resviz.spec.lab import LabPlan
from resviz.spec.net import NetSpec
from resviz.training.lab import Lab
from resviz.zoo.bundled import load_bundled

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
ROOT = Path(__file__).resolve().parents[1]
SPEC = NetSpec(blocks=(1, 1, 1), cut=frozenset({"layer2.0"}))
PLAN = LabPlan((NetSpec(blocks=(1, 1, 1), in_channels=1), NetSpec(blocks=(1, 1, 1), in_channels=1).plain()), batch=16)


def printed(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the notebook prints as JSON, run from a folder that is not the project's."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    book = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [out for cell in book.cells if cell.cell_type == "code" for out in cell.outputs]
    assert any("data" in out for out in outputs)  # a table or a figure
    said = "".join(out.text for out in outputs if out.output_type == "stream" and out.name == "stdout")
    return dict(json.loads(next(line for line in said.splitlines() if line.startswith("{"))))


def test_gradients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = printed(gradients_notebook(SPEC, 8, 8), tmp_path, monkeypatch)
    own = gradient_probe(build(SPEC).train(), *probed(SPEC, 8, 8)).profile.norms
    np.testing.assert_allclose(told["residual"], own, rtol=1e-4)
    assert len(told["plain"]) == len(own)  # type: ignore[arg-type]


def test_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = layer_table(SPEC, 32)
    assert printed(build_notebook(SPEC), tmp_path, monkeypatch) == {"parameters": table.params, "MACs": table.macs}


def test_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = printed(lab_notebook(PLAN, 3), tmp_path, monkeypatch)
    lab = Lab(PLAN, lambda: sets_of(PLAN))
    for _ in range(3):
        lab.advance()
    record = lab.record()
    assert record is not None
    assert list(told) == [track.label for track in record.tracks]
    for track in record.tracks:
        np.testing.assert_allclose(told[track.label], track.gradients[-1], rtol=1e-3)


def test_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from resviz.data.uploads import sample_photographs

    told = printed(explain_notebook("resnet20-cifar10", "Cat", "cat", ["saliency", "grad-cam@layer3.2"]), tmp_path, monkeypatch)
    network = load_bundled("resnet20-cifar10")
    case = Case(network, sample_photographs()["Cat"], network.categories.index("cat"))
    for name, strength in told.items():
        assert strength == pytest.approx(float(np.abs(attribute(case, Asked.of(name)).values).sum()), rel=1e-3)
