"""The loss around a network's weights, checked against networks moved there by hand, and its curvature against the whole Hessian."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from resviz.cli import main
from resviz.data.datasets import named_sets, probed
from resviz.figures.chart import to_plotly
from resviz.figures.landscape import colour_range, cut, frame, landscape_map, landscape_surface, picture
from resviz.nets.build import build
from resviz.nets.unit import Net
from resviz.probes.landscape import direction, landscape, landscapes
from resviz.probes.sharpness import sharpness
from resviz.progress import Cancelled
from resviz.results import Landscape
from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network, side_of
from resviz.spec.landscape import PICTURES, LandscapePlan, Plane, Statistics, plan_from_query, plan_to_query
from resviz.spec.net import Activation, Block, Design, NetSpec, Norm, Shortcut, SpecError
from resviz.spec.plane import PlaneSpec
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec
from resviz.training.pairs import bundled_pair, pair
from resviz.zoo.first import read_first
from resviz.zoo.learned import pictures_of
from tests.foreign import trained

SMALL = NetSpec(blocks=(1, 1, 1), width=4, in_channels=1)
SEEDED = [
    SMALL,
    SMALL.plain(),
    replace(SMALL, block=Block.BOTTLENECK, shortcut=Shortcut.C),
    replace(SMALL, block=Block.PREACT_BASIC),
    replace(SMALL, norm=Norm.NONE),
    replace(SMALL, norm=Norm.GROUP, width=16),
]


def seeded(spec: NetSpec) -> Net:
    """A network whose norms have statistics, scales and shifts of their own, some scales below zero."""
    net = build(spec)
    with torch.no_grad():
        trained(net)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight[::3] *= -1
    return net.eval()


def pictures(count: int = 64) -> tuple[Tensor, Tensor]:
    chosen = named_sets("digits")[0].subset(count)
    return chosen.normalised(chosen.images), chosen.labels


def loss_of(net: nn.Module, images: Tensor, targets: Tensor) -> float:
    with torch.no_grad():
        return nn.functional.cross_entropy(net(images), targets).item()


@pytest.mark.parametrize("spec", SEEDED, ids=str)
def test_each_filter_of_a_direction_is_as_long_as_the_networks(spec: NetSpec) -> None:
    net = seeded(spec)
    found = direction(net, 0, 0)
    weights = net.weights()
    assert found.keys() == weights.keys()  # so that biases and norms stay
    for name, weight in weights.items():
        for drawn, own in zip(found[name], weight, strict=True):
            assert drawn.norm().item() == pytest.approx(own.norm().item(), rel=1e-5)
    other = direction(net, 0, 1)
    assert all(not torch.allclose(other[name], drawn) for name, drawn in found.items())


def test_a_plain_and_a_residual_network_have_the_same_draw() -> None:
    one, other = direction(build(SMALL), 3, 0), direction(build(SMALL.plain()), 3, 0)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("statistics", ["trained", "batch"])
@pytest.mark.parametrize("spec", SEEDED, ids=str)
def test_every_point_is_the_loss_of_a_network_that_was_moved_there(spec: NetSpec, statistics: Statistics) -> None:
    net, (images, targets) = seeded(spec), pictures()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = landscape(net, images, targets, Plane(1, 0.5, statistics), 3)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not net.training
    moved = copy.deepcopy(net).train(statistics == "batch")
    axes = [direction(net, 1, axis) for axis in (0, 1)]
    for i, y in enumerate(found.places):
        for j, x in enumerate(found.places):
            with torch.no_grad():
                for name, weight in net.weights().items():
                    moved.get_submodule(name).weight.copy_(weight + x * axes[0][name] + y * axes[1][name])
            assert found.losses[i, j] == pytest.approx(loss_of(moved, images, targets), rel=1e-4)
    assert found.centre == pytest.approx(loss_of(copy.deepcopy(net).train(statistics == "batch"), images, targets), abs=1e-4)
    assert found.guess == pytest.approx(math.log(10))


def dense_curvature(net: Net, images: Tensor, targets: Tensor, statistics: Statistics) -> float:
    """The largest eigenvalue of the whole Hessian."""
    named = dict(net.named_parameters())
    flat = torch.cat([weight.detach().reshape(-1) for weight in named.values()])
    asked = copy.deepcopy(net).train(statistics == "batch")

    def loss(at: Tensor) -> Tensor:
        parts = torch.split(at, [weight.numel() for weight in named.values()])
        weights = {name: part.view(weight.shape) for (name, weight), part in zip(named.items(), parts, strict=True)}
        return nn.functional.cross_entropy(functional_call(asked, weights, (images,)), targets)

    with sdpa_kernel(SDPBackend.MATH):
        return torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat, vectorize=True))[-1].item()


FAMILIES: dict[str, Network] = {
    "DenseNet": DenseSpec((1,), 2, width=4),
    "ViT": TransformerSpec(num_layers=1, dim=4, heads=2, mlp=4),
    "sequences": TransformerSpec(image=4, num_layers=1, dim=4, heads=2, mlp=4, vocabulary=5, patch=1),
    "U-Net": UNetSpec((1, 1), 1),
    "MLP": PlaneSpec((1,), 4),
}


@pytest.mark.parametrize("spec", FAMILIES.values(), ids=FAMILIES)
def test_every_family_has_its_loss_and_curvature(spec: Network) -> None:
    net, (images, targets) = build(spec).double(), probed(spec, 12, side_of(spec, 8, 32))
    images = images.double()
    found = landscape(net, images, targets, Plane(statistics="batch"), 3)
    axes = [direction(net, 0, axis) for axis in (0, 1)]
    shares = {id(weight): name for name, weight in net.weights().items()}
    moved = {
        name: weight + found.places[2] * (axes[0][shares[id(weight)]] + axes[1][shares[id(weight)]])
        if id(weight) in shares
        else weight
        for name, weight in net.named_parameters()
    }
    with torch.no_grad():
        corner = nn.functional.cross_entropy(functional_call(copy.deepcopy(net).train(), moved, (images,)), targets)
    assert found.losses[2, 2] == pytest.approx(corner.item(), rel=1e-3)
    assert found.centre == pytest.approx(loss_of(copy.deepcopy(net).train(), images, targets), rel=1e-4)
    curved = sharpness(net, images, targets, "batch", tolerance=1e-6)
    assert curved.largest == pytest.approx(dense_curvature(net, images, targets, "batch"), rel=1e-3)


def test_one_seed_gives_one_picture_and_another_seed_another() -> None:
    net, (images, targets) = seeded(SMALL), pictures()
    one, again, other = (landscape(net, images, targets, Plane(seed), 5).losses for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert one[2, 2] == other[2, 2]
    assert not np.allclose(one, other)


def test_a_point_is_never_measured_twice() -> None:
    net, (images, targets) = seeded(SMALL), pictures()
    marked = landscape(net, images, targets, Plane(), 5)
    marked = replace(marked, losses=np.full((5, 5), -7.0))
    finer = landscape(net, images, targets, Plane(), 9, marked)
    assert (finer.losses[::2, ::2] == -7).all()
    assert (np.delete(finer.losses.ravel(), np.flatnonzero(finer.losses.ravel() == -7)) > 0).all()


def test_what_was_cancelled_is_taken_up_where_it_stood() -> None:
    nets: dict[Design, Net] = {"residual": seeded(SMALL), "plain": seeded(SMALL.plain())}
    images, targets = pictures()
    heard: list[tuple[float, dict[Design, Landscape]]] = []

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        assert isinstance(partial, dict)
        heard.append((fraction, partial))
        if fraction > 0.5:
            raise Cancelled
        return False

    with pytest.raises(Cancelled):
        landscapes(nets, images, targets, Plane(), 9, tick=tick)
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    kept = heard[-1][1]
    assert all((coarse := each.complete()) is not None and coarse.grid >= 5 for each in kept.values())
    assert 81 < sum(each.measured for each in kept.values()) < 2 * 81
    resumed = landscapes(nets, images, targets, Plane(), 9, kept)
    whole = landscapes(nets, images, targets, Plane(), 9)
    assert all(np.array_equal(resumed[key].losses, whole[key].losses) for key in nets)
    # a finer one than was asked for is there already
    assert all(
        np.array_equal(found.losses, whole[key].losses)
        for key, found in landscapes(nets, images, targets, Plane(), 5, whole).items()
    )


def test_a_grid_has_a_middle() -> None:
    net, (images, targets) = seeded(SMALL), pictures(8)
    with pytest.raises(ValueError, match="odd"):
        landscape(net, images, targets, Plane(), 4)
    with pytest.raises(ValueError, match="does not hold"):
        landscape(net, images, targets, Plane(), 7, landscape(net, images, targets, Plane(), 5))


def bowl(grid: int = 9, bumps: float = 0.0) -> Landscape:
    places = np.linspace(-1, 1, grid)
    x, y = np.meshgrid(places, places)
    return Landscape(places, x**2 + y**2 + 0.1 + bumps * np.cos(4 * np.pi * x) * np.cos(4 * np.pi * y), 1.0)


def test_curving_share_and_cut_are_counted() -> None:
    smooth = bowl()
    assert (smooth.bent, smooth.measured, smooth.centre) == (0, 81, pytest.approx(0.1))
    assert smooth.share == pytest.approx(((np.add.outer(smooth.places**2, smooth.places**2) + 0.1) < 1).mean())
    assert np.allclose(smooth.cut, smooth.places**2 + 0.1)
    assert 0.3 < bowl(33, bumps=0.5).bent < 1
    x, y = np.meshgrid(smooth.places, smooth.places)
    for saddle in (x**2 - y**2, x * y):  # along the axes, and across them
        assert replace(smooth, losses=saddle).bent == 1
    assert replace(smooth, losses=x**2 + 0 * y).bent == 0
    assert smooth.refined(17).complete() is not None
    assert np.array_equal(smooth.refined(17).thinned(9).losses, smooth.losses)
    half = smooth.refined(17)
    assert half.measured == 81
    coarse = half.complete()
    assert coarse is not None
    assert coarse.grid == 9
    assert Landscape(smooth.places, np.full((9, 9), np.nan), 1.0).complete() is None


@pytest.mark.parametrize("statistics", ["trained", "batch"])
def test_the_largest_curvature_is_the_dense_hessians_largest_eigenvalue(statistics: Statistics) -> None:
    net = seeded(NetSpec(blocks=(1,), width=2, in_channels=1, activation=Activation.TANH)).double()
    images, targets = pictures(24)
    images = images.double()
    found = sharpness(net, images, targets, statistics, tolerance=1e-6)
    assert found.settled
    assert found.largest == pytest.approx(dense_curvature(net, images, targets, statistics), rel=1e-3)
    assert not any(weight.requires_grad and weight.grad is not None for weight in net.parameters())


def test_pictures_that_do_not_fit_together_have_the_same_curvature(monkeypatch: pytest.MonkeyPatch) -> None:
    net, (images, targets) = seeded(SMALL), pictures(48)
    whole = sharpness(net, images, targets)
    monkeypatch.setattr("resviz.probes.sharpness._TOGETHER", 10 * 8 * 8)
    assert sharpness(net, images, targets).largest == pytest.approx(whole.largest, rel=1e-3)


def test_a_plan_is_its_link_and_nonsense_is_ignored() -> None:
    plan = LandscapePlan(20, "start", 2, 7, 0.25, 33)
    assert plan_from_query(plan_to_query(plan)) == plan
    assert plan_to_query(LandscapePlan()) == {}
    odd = {"depth": "57", "weights": "<b>", "plane": "-1", "extent": "nan", "grid": "10", "run": "²", "other": "1"}
    assert plan_from_query(odd) == LandscapePlan()
    with pytest.raises(SpecError, match="extent"):
        Plane(extent=math.nan)


def test_networks_before_training_are_there_and_shared_ones_stay_as_they_are() -> None:
    nets = pair(LandscapePlan(20, "start"))
    images, targets = pictures_of(nets["residual"], 32)
    assert images.shape == (32, 1, 8, 8)
    before = copy.deepcopy(nets["plain"].net.state_dict())
    landscape(nets["plain"].private_view(), images, targets, Plane(statistics="batch"), 3)
    sharpness(nets["plain"].private_view(), images, targets, "batch", most=2)
    assert all(torch.equal(value, before[name]) for name, value in nets["plain"].net.state_dict().items())


def test_the_figures_show_every_point_on_one_scale() -> None:
    found: dict[Design, Landscape] = {"residual": bowl(), "plain": bowl(9, bumps=0.05)}
    wild = found["plain"].losses.copy()
    wild[0, 0] = np.inf
    found["plain"] = replace(found["plain"], losses=wild)
    span = colour_range(found)
    figure = landscape_map(found["plain"], span)
    heat = next(trace for trace in figure.data if trace.type == "heatmap")
    assert (heat.zmin, heat.zmax) == span
    assert np.nanmax(heat.z) == pytest.approx(span[1])
    surface = landscape_surface(found["plain"], span).data[0]
    assert np.array_equal(surface.z, heat.z)
    assert len(frame(found)) == 2 * 81
    assert picture(found, 90).size == (2 * 90 + 5, 90)
    ticks = cut(found).y.ticks
    assert ticks
    assert all(float(text) == pytest.approx(10**place) for place, text in ticks)
    lines = to_plotly(cut(found)).data
    assert [line.name for line in lines] == ["residual", "plain"]
    assert 10 ** lines[0].y[4] == pytest.approx(found["residual"].centre, rel=1e-3)


def test_the_command_prints_the_points(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "map.html"
    command = ["landscape", "blocks=1-1&width=4&in_channels=1", "--grid", "5", "--pictures", "32", "--sharpness"]
    assert main([*command, "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert np.array(said["losses"]).shape == (5, 5)
    assert said["centre"] == said["losses"][2][2]
    assert said["statistics"] == "batch"
    assert said["sharpness"] > 0
    assert out.stat().st_size > 1000
    assert main([*command, "--rate", "0"]) == 2
    assert "--rate" in capsys.readouterr().err


def test_what_the_page_opens_with_is_what_is_measured_here() -> None:
    """Every eighth point of it: another processor rounds differently."""
    kept, plan = read_first("landscape").values, LandscapePlan()
    assert (kept["depth"], kept["trained"]) == (plan.depth, bool(bundled_pair(plan)))
    plan = plan if kept["trained"] else replace(plan, weights="start")
    nets = pair(plan)
    images, targets = pictures_of(nets["residual"], PICTURES)
    for design, classifier in nets.items():
        found = landscape(classifier.private_view(), images, targets, plan.around, 3)
        assert np.allclose(np.log10(kept[design].thinned(3).losses), np.log10(found.losses), atol=0.05)
