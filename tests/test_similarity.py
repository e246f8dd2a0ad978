"""How alike layers are, beside the formula written out, and as a command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from resviz.cli import main
from resviz.data.images import digits
from resviz.figures.similarity import similarity_frame, similarity_map
from resviz.nets.build import build
from resviz.nets.unit import Net
from resviz.probes.similarity import similarity
from resviz.spec.net import NetSpec
from tests.foreign import trained

SPEC = NetSpec(blocks=(2, 2), width=4, in_channels=1)


def seeded(spec: NetSpec) -> Net:
    net = build(spec)
    with torch.no_grad():
        trained(net)
    return net.eval()


def pictures(count: int) -> Tensor:
    chosen = digits().subset(count)
    return chosen.normalised(chosen.images)


def returned(net: Net, images: Tensor) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    handles = [
        unit.register_forward_hook(lambda _u, _x, y, name=name: found.__setitem__(name, y.flatten(1).double().numpy()))
        for name, unit in net.units()
    ]
    with torch.no_grad():
        net(images)
    for handle in handles:
        handle.remove()
    return found


def from_scratch(x: np.ndarray, y: np.ndarray) -> float:
    """HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)) with K = XXᵀ, L = YYᵀ and centring matrices, as the paper writes it."""
    n = len(x)
    centring = np.eye(n) - np.ones((n, n)) / n

    def hsic(k: np.ndarray, l: np.ndarray) -> float:  # noqa: E741 - the paper's letter
        return float(np.trace(k @ centring @ l @ centring)) / (n - 1) ** 2

    k, l = x @ x.T, y @ y.T  # noqa: E741
    return hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))


@pytest.mark.parametrize("count", [12, 400])  # few pictures make kernels cheap, many make features cheap
def test_it_is_the_papers_formula_and_one_on_the_diagonal(count: int) -> None:
    spec = replace(SPEC, width=1, blocks=(1, 1)) if count > 100 else SPEC
    net, other, images = seeded(spec), seeded(replace(spec, seed=1).plain()), pictures(count)
    within, across = similarity(net, images), similarity(net, images, other)
    assert np.diagonal(within.values) == pytest.approx(1, abs=1e-5)
    assert np.allclose(within.values, within.values.T, atol=1e-6)
    assert within.rows == within.columns == tuple(name for name, _ in net.units())
    ours, theirs = returned(net, images), returned(other, images)
    for i, row in enumerate(within.rows):
        for j, column in enumerate(within.columns):
            assert within.values[i, j] == pytest.approx(from_scratch(ours[row], ours[column]), abs=1e-4)
            assert across.values[i, j] == pytest.approx(from_scratch(ours[row], theirs[column]), abs=1e-4)
    assert not any(module._forward_hooks for module in net.modules())


def test_what_cannot_be_compared_is_said() -> None:
    net = seeded(SPEC)
    with pytest.raises(ValueError, match="got 2"):
        similarity(net, pictures(2))
    with pytest.raises(ValueError, match="got 513"):
        similarity(net, pictures(513))
    with pytest.raises(ValueError, match="eval"):
        similarity(net.train(), pictures(8))
    assert not any(module._forward_hooks for module in net.modules())


def test_the_map_has_every_pair() -> None:
    found = similarity(seeded(SPEC), pictures(16))
    figure = similarity_map(found, "a", "a")
    assert np.array(figure.data[0].z).shape == (4, 4)
    assert list(similarity_frame(found).index) == list(found.rows)


def test_the_command_compares_two_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = []
    for seed in (0, 1):
        files.append(str(tmp_path / f"net{seed}.safetensors"))
        save_file({name: value.contiguous() for name, value in seeded(replace(SPEC, seed=seed)).state_dict().items()}, files[-1])
    told = ["--classes", "0,1,2,3,4,5,6,7,8,9", "--size", "8", "--mean", "0.3053", "--std", "0.3763"]
    assert main(["similarity", *files, *told, "--pictures", "40", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert np.array(said["values"]).shape == (4, 4)
    assert said["pictures"] == 40
    assert "We measure" in said["says"]
    assert main(["similarity", files[0], *told, "--pictures", "40"]) == 0
    assert "least alike" in capsys.readouterr().out
