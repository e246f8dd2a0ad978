"""RepVGG's unit: what the paper draws, and one 3×3 convolution with the same answers once it is trained."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu
from torchinfo import summary

from resviz.figures import captions
from resviz.figures.diagram.block import block_diagram
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.inference.folding import folded
from resviz.nets.inference.fused import fuse, prepare
from resviz.nets.inference.skipless import skipless
from resviz.probes.gradients import gradient_probe
from resviz.probes.inside import forward, look
from resviz.probes.skipless import removal
from resviz.probes.taken_apart import arithmetic
from resviz.results import SkipRemoval
from resviz.spec.net import Block, Carry, Init, NetSpec, Norm, Shortcut, SpecError
from resviz.spec.presets import PRESETS
from resviz.spec.query import from_query, to_query_string
from resviz.zoo.bundled import load_bundled
from resviz.zoo.infer import infer_spec

SMALL = NetSpec(Block.REP, (2, 2), width=8, shortcut=Shortcut.B)


def trained(spec: NetSpec) -> nn.Module:
    """In eval mode, with statistics that are no identity."""
    net, generator = build(spec), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values in (module.weight, module.running_mean, module.running_var):
                    values.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


def pictures(side: int = 12) -> Tensor:
    return torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_a_unit_is_what_the_paper_draws() -> None:
    net, x = trained(SMALL), torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(2))
    same, changing = net.get_submodule("layer1.0"), net.get_submodule("layer2.0")
    g = same.downsample.point(x)
    assert torch.allclose(same(x), relu(same.downsample.norm(x) + g + same.bn1(same.conv1(x))), atol=1e-6)
    assert torch.allclose(changing(x), relu(changing.downsample(x) + changing.bn1(changing.conv1(x))), atol=1e-6)


@pytest.mark.parametrize(
    "changes", [{}, {"shortcut": Shortcut.A}, {"shortcut": Shortcut.C}, {"norm": Norm.NONE}, {"residual": False}]
)
@torch.no_grad()
def test_it_folds_to_one_convolution_with_the_same_answers(changes: dict[str, object]) -> None:
    spec = replace(SMALL, **changes)
    net, x = trained(spec), pictures()
    logits, plain = net(x), skipless(copy.deepcopy(net))
    assert torch.allclose(plain(x), logits, atol=1e-4 * max(1, logits.abs().max().item()))
    units = [plain.get_submodule(name) for name in spec.block_names()]
    assert [[type(layer) for layer in unit] for unit in units] == 4 * [[nn.Conv2d, nn.ReLU]]
    assert all(unit[0].kernel_size == (3, 3) for unit in units)
    found = removal(copy.deepcopy(net), copy.deepcopy(net), x, repeats=1)
    assert found.single == found.skips == (4 if spec.residual else 0)
    assert (found.parameters[1] < found.parameters[0]) == spec.residual


@torch.no_grad()
def test_the_folded_kernel_is_the_papers_sum() -> None:
    """Figure 4 of the paper, written out: 3×3, 1×1 in its middle, and the identity as a 1×1, each with its norm folded."""
    net = trained(SMALL).double()
    unit = net.get_submodule("layer1.1")

    def scaled(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        return factor, norm.bias - norm.running_mean * factor

    (big, b3), (small, b1), (own, b0) = (scaled(n) for n in (unit.bn1, unit.downsample.point[1], unit.downsample.norm))
    kernel = unit.conv1.weight * big[:, None, None, None]
    kernel[:, :, 1, 1] += unit.downsample.point[0].weight[:, :, 0, 0] * small[:, None] + torch.diag(own)
    x = torch.rand(2, 8, 5, 5, dtype=torch.double, generator=torch.Generator().manual_seed(3))
    expected = relu(conv2d(x, kernel, b3 + b1 + b0, padding=1))
    assert torch.allclose(skipless(net).get_submodule("layer1.1")(x), expected, atol=1e-10)


@pytest.mark.parametrize("name", [f"repvgg20-digits-{seed}" for seed in range(3)])
def test_a_trained_one_folds_to_a_part_of_a_logit(name: str) -> None:
    classifier = load_bundled(name)
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    found = removal(classifier.private_view(), classifier.private_view(), x, repeats=1)
    assert found.off <= 1e-4
    assert not found.changed
    assert found.skips == found.single == 18


@pytest.mark.parametrize(
    "changes", [{}, {"shortcut": Shortcut.C}, {"cut": frozenset({"layer1.1"})}, {"dropped": frozenset({"layer1.0"})}]
)
def test_frozen_passes_and_their_gradients_are_the_same(changes: dict[str, object]) -> None:
    net, x = trained(replace(SMALL, **changes)), pictures()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    quick = folded(copy.deepcopy(net))
    prepare(quick)
    fuse(quick)
    for view in (net, quick):
        view.zero_grad()
    inputs = [x.clone().requires_grad_(), x.clone().requires_grad_()]
    logits = [view(each) for view, each in zip((net, quick), inputs, strict=True)]
    assert torch.allclose(*logits, atol=1e-4, rtol=1e-4)
    grads = [torch.autograd.grad(out[:, 0].sum(), each)[0] for out, each in zip(logits, inputs, strict=True)]
    assert torch.allclose(*grads, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("changes", [{}, {"shortcut": Shortcut.C}, {"norm": Norm.NONE}, {"residual": False}])
def test_its_table_is_torchinfos(changes: dict[str, object]) -> None:
    spec = replace(SMALL, **changes)
    net, table = build(spec), layer_table(spec, 32)
    counted = summary(net, (1, 3, 32, 32), verbose=0)
    assert table.params == counted.total_params
    weights = {name for name, _ in net.weights().items()}
    assert weights == {row.name for row in table.rows if row.kind.startswith(("conv", "linear"))}


def test_its_names_links_and_checkpoints() -> None:
    spec = PRESETS["repvgg20"]
    assert (spec.title, spec.depth, spec.plain().title) == ("RepVGG-20", 20, "Plain-20")
    assert from_query(to_query_string(spec))[0] == spec
    for each in (SMALL, replace(SMALL, shortcut=Shortcut.A), replace(SMALL, norm=Norm.NONE)):
        assert infer_spec(build(each).state_dict()) == each


def test_its_skip_is_neither_x_alone_nor_a_projection() -> None:
    units = {unit.name: unit for unit in layer_table(SMALL, 8).units}
    assert (units["layer1.0"].carries, units["layer2.0"].carries) == ("parallel", "projection")
    said = " ".join(str(shape) for shape in block_diagram(layer_table(SMALL, 8), "layer1.0").shapes)
    assert "norm and 1×1 skip of layer1.0; click to cut it" in said


def test_its_gradients_and_its_inside_are_read() -> None:
    net = trained(SMALL)
    kept = forward(net, pictures()[:1])
    seen = look(net, kept, "layer1.0")
    assert seen.mapped == "parallel"
    assert (seen.identity + seen.residual == seen.joined).all()
    assert "a norm and a 1×1 convolution beside it" in captions.unit_note(seen)
    number = arithmetic(net, kept, "layer1.0", (3, 2, 2))
    assert number.shown_output == pytest.approx(float(seen.output[3, 2, 2]), abs=1e-5)
    images, targets = pictures(), torch.arange(4)
    profile = gradient_probe(build(SMALL), images, targets).profile
    assert "layer1.0.downsample.point.0" in profile.names


def test_what_its_1x1_adds_is_told() -> None:
    table = layer_table(SMALL, 8)
    assert captions.bottleneck_note(table, "layer1.0") == (
        "`layer1.0`: one 3×3 convolution to 8 channels, 576 weights. A 1×1 beside it has 64 more; once trained, both and x fold into the 3×3."
    )
    assert captions.bottleneck_note(layer_table(SMALL.plain(), 8), "layer1.0").endswith("576 weights.")
    averaging = layer_table(replace(SMALL, shortcut=Shortcut.D), 8)
    assert captions.bottleneck_note(averaging, "layer2.0").endswith("A 1×1 beside it has 128 more.")


def test_what_does_not_fit_it_is_refused() -> None:
    with pytest.raises(
        SpecError, match="carry=half is of a skip that is x alone, and block=rep has norms on it; use carry=identity"
    ):
        replace(SMALL, carry=Carry.HALF)
    half = NetSpec(carry=Carry.HALF)
    assert half.resized(block=Block.REP).carry is Carry.IDENTITY
    assert Init.ZERO_GAMMA in SMALL.inits()


def test_the_words_are_the_papers_it_folds_by() -> None:
    found = SkipRemoval(2e-6, 12.0, 0, 18, (2000, 1000), (0.02, 0.01), 297, single=18)
    said = captions.skipless_note(found)
    assert "one 3×3 convolution now: 2.00 k parameters become 1.00 k (0.500 times), a pass takes 0.500 times as long" in said
    assert "RepVGG, arXiv 2101.03697" in said
    assert "channels of its own" in captions.skipless_note(replace(found, single=0))
