"""What a unit does to a picture adds up, exactly; its numbers can be taken apart; and looking leaves a network as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from resviz.attribution.neuron import NEURON_METHODS, neuron, neuron_methods
from resviz.data.uploads import sample_photographs
from resviz.figures.inside import exciting, filters
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.unit import Net
from resviz.probes.inside import changed, effect, forward, look, readout, returned
from resviz.probes.taken_apart import arithmetic, field
from resviz.results import ORDERS, Box, Excitement
from resviz.spec.net import Activation, Block, BranchScale, Carry, NetSpec, Norm, Shortcut, Stem
from resviz.spec.query import to_query_string
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import predict
from tests.foreign import trained

SMALL = NetSpec(blocks=(2, 2, 2), width=8)
SEEDED = [
    replace(SMALL, block=Block.BOTTLENECK),
    replace(SMALL, block=Block.BOTTLENECK, stem=Stem.IMAGENET, shortcut=Shortcut.B, groups=2, width_per_group=32),
    replace(SMALL, block=Block.PREACT_BASIC),
    replace(SMALL, block=Block.PREACT_BOTTLENECK, shortcut=Shortcut.C),
    replace(SMALL, norm=Norm.GROUP),
    replace(SMALL, norm=Norm.NONE, activation=Activation.GELU),
    replace(SMALL, cut=frozenset({"layer2.1"}), dropped=frozenset({"layer3.1"})),
    replace(SMALL, residual=False),
    replace(SMALL, carry=Carry.EXCLUSIVE, gate=1),
    replace(SMALL, carry=Carry.HALF, scale=BranchScale.DEPTH, survival=50),
    replace(SMALL, block=Block.BOTTLENECK, stem=Stem.DEEP, shortcut=Shortcut.D),
    replace(SMALL, block=Block.PREACT_BASIC, shortcut=Shortcut.D),
]


def seeded(spec: NetSpec) -> Net:
    net = build(spec)
    with torch.no_grad():
        trained(net)
    return net.eval()


def noise(side: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


def bundled(name: str) -> tuple[Net, Tensor]:
    classifier = load_bundled(name)
    return classifier.private_view(), classifier.preprocessing.tensor(sample_photographs()["Cat"])


EVERY = ["resnet20-cifar10", "resnet18-imagenette", *map(to_query_string, SEEDED)]


@pytest.fixture(params=EVERY)
def asked(request: pytest.FixtureRequest) -> tuple[Net, Tensor]:
    """A network and a picture: two that were trained, and every kind of block with weights from a seed."""
    name = request.param
    return bundled(name) if name in EVERY[:2] else (seeded(SEEDED[EVERY.index(name) - 2]), noise())


def state(net: nn.Module) -> object:
    """Everything that looking must leave as it was."""
    hooks = {name: len(m._forward_hooks) + len(m._forward_pre_hooks) for name, m in net.named_modules()}
    gradients = {name: (p.requires_grad, p.grad is None) for name, p in net.named_parameters()}
    numbers = {name: value.sum().item() for name, value in net.state_dict().items()}
    return hooks, gradients, numbers, net.training


def test_the_four_tensors_add_up_exactly(asked: tuple[Net, Tensor]) -> None:
    net, picture = asked
    before = state(net)
    kept = forward(net, picture)
    with torch.no_grad():
        answers = net(picture)[0].numpy()
    assert np.array_equal(kept.logits, answers)
    names = list(kept.entered)
    assert names == [unit for unit, _ in net.units()]
    for unit, after in zip(names, [*names[1:], None], strict=True):
        seen = look(net, kept, unit)
        assert np.array_equal(seen.residual + seen.identity, seen.joined)
        expected = {
            "ReLU": lambda x: np.maximum(x, 0),
            "GELU": lambda x: nn.functional.gelu(torch.from_numpy(x)).numpy(),
            "": lambda x: x,
        }[seen.activation](seen.joined)
        assert np.array_equal(expected, seen.output)
        if after is not None:
            assert np.array_equal(seen.output, kept.entered[after])
        wired = dict(net.units())[unit]
        assert (seen.mapped == "none") == (not wired.skip)
        if seen.mapped == "identity":
            assert np.array_equal(seen.identity, kept.entered[unit])
        if not wired.branch:
            assert not seen.residual.any()
        assert seen.ratio == pytest.approx(
            np.linalg.norm(seen.residual) / np.linalg.norm(seen.identity) if wired.skip else np.inf, rel=1e-4
        )
    assert state(net) == before


def test_nothing_stands_behind_the_addition_of_a_pre_activation_block() -> None:
    net = seeded(SEEDED[2])
    seen = look(net, forward(net, noise()), "layer2.0")
    assert seen.activation == ""
    assert np.array_equal(seen.output, seen.joined)
    assert (seen.output < 0).any()


def test_one_number_taken_apart_adds_up_to_what_the_network_computed(asked: tuple[Net, Tensor]) -> None:
    net, picture = asked
    before = state(net)
    kept = forward(net, picture)
    rng = np.random.default_rng(0)
    for unit, wired in net.units():
        if not wired.branch:
            with pytest.raises(ValueError, match="dropped"):
                arithmetic(net, kept, unit, (0, 0, 0))
            continue
        if isinstance(wired.tail, nn.Sequential):
            with pytest.raises(ValueError, match="factor or a gate"):
                arithmetic(net, kept, unit, (0, 0, 0))
            continue
        channels, height, width = look(net, kept, unit).joined.shape
        for at in [
            (0, 0, 0),
            (channels - 1, height - 1, width - 1),
            tuple(rng.integers((channels, height, width))),
        ]:
            found = arithmetic(net, kept, unit, at)
            # rounding is relative to what is added up, not to what is left where it cancels
            size = max(abs(found.shown_joined), abs(found.scale) * np.abs(found.products).sum() + abs(found.shift))
            assert found.residual == pytest.approx(found.shown_residual, abs=1e-5 * size)
            assert found.joined == pytest.approx(found.shown_joined, abs=1e-5 * size)
            assert found.by_channel.sum() + found.bias == pytest.approx(found.convolved)
            assert found.by_place.sum() + found.bias == pytest.approx(found.convolved)
            assert found.window.shape == found.weights.shape
    assert state(net) == before


def test_a_scaled_number_is_taken_apart_with_its_factors() -> None:
    net, picture = bundled("resnet20-cifar10")
    kept = forward(net, picture)
    found = arithmetic(net, kept, "layer2.1", (3, 4, 5), branch=0.5, skip=1.5)
    assert found.joined == pytest.approx(found.shown_joined, rel=1e-4)
    assert found.joined == pytest.approx(0.5 * arithmetic(net, kept, "layer2.1", (3, 4, 5)).residual + 1.5 * found.identity)


def test_what_a_unit_returns_is_what_the_next_one_gets(asked: tuple[Net, Tensor]) -> None:
    net, picture = asked
    before, kept = state(net), forward(net, picture)
    first, second, *_ = kept.entered
    assert np.array_equal(returned(net, picture, first), kept.entered[second])
    assert state(net) == before


def test_a_picture_is_clear_where_the_channel_is_on() -> None:
    white = Image.new("RGB", (40, 40), "white")
    on = np.asarray(exciting(white, Excitement("a", np.array([[4.0, 0.0], [0.0, -4.0]]))))
    assert on[2, 2].tolist() == [255, 255, 255]
    assert on[-2, -2].tolist() != [255, 255, 255]
    assert not (np.asarray(exciting(white, Excitement("a", np.array([[0.0, -1.0]])))) == 255).any()


def test_filters_are_drawn_by_their_weights() -> None:
    weights = np.zeros((18, 3, 2, 2))
    weights[17, 0, 0, 0], weights[17, 2, 1, 1] = 2.0, -2.0
    sheet = np.asarray(filters(weights, scale=4))
    assert sheet.shape == (2 * 10, 16 * 10, 3)
    assert sheet[12, 12].tolist() == [255, 128, 128]  # the second of the second line, its first place
    assert sheet[17, 17].tolist() == [128, 128, 0]
    assert sheet[2, 2].tolist() == [128, 128, 128]


def support(net: Net, unit: str, row: int, column: int, pictures: int = 1) -> Box:
    """The pixels that have a gradient of what the unit returns there, over several pictures."""
    seen = np.zeros((32, 32), bool)
    for seed in range(pictures):
        picture = noise(seed=seed)
        kept = forward(net, picture)
        middle = len(look(net, kept, unit).joined) // 2  # the first channels of a padded skip carry nothing
        seen |= field(net, picture, kept, unit, (middle, row, column)).strength > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


TANH = replace(SMALL, width=4, blocks=(1, 2), activation=Activation.TANH, norm=Norm.NONE)


@pytest.mark.parametrize(
    ("spec", "unit"),
    [
        (TANH, "layer1.0"),
        (TANH, "layer2.0"),
        (TANH, "layer2.1"),
        (replace(TANH, block=Block.BOTTLENECK), "layer2.0"),
        (replace(TANH, block=Block.PREACT_BASIC), "layer2.1"),
        (replace(TANH, shortcut=Shortcut.C), "layer2.1"),
        (replace(TANH, dropped=frozenset({"layer2.0"})), "layer2.0"),
        (replace(TANH, dropped=frozenset({"layer2.0"}), shortcut=Shortcut.B), "layer2.1"),
        (replace(TANH, dropped=frozenset({"layer1.0"})), "layer2.0"),
        (replace(TANH, residual=False), "layer2.1"),
    ],
    ids=lambda value: value if isinstance(value, str) else to_query_string(value),
)
@pytest.mark.parametrize("at", ["middle", "corner", "edge"])
def test_the_receptive_field_is_where_the_gradient_is(spec: NetSpec, unit: str, at: str) -> None:
    net = seeded(spec)
    side = 32 if unit.startswith("layer1") else 16
    row, column = {"middle": (side // 2, side // 2 - 1), "corner": (0, side - 1), "edge": (side - 1, side // 3)}[at]
    assert forward(net, noise()).box(unit, row, column) == support(net, unit, row, column)


def test_the_receptive_field_reaches_through_a_max_pool() -> None:
    net = seeded(replace(TANH, stem=Stem.IMAGENET))
    assert forward(net, noise()).box("layer1.0", 4, 4) == support(net, "layer1.0", 4, 4, pictures=12)


def test_far_from_the_edge_the_receptive_field_is_as_wide_as_the_layer_table_says() -> None:
    net, picture = bundled("resnet20-cifar10")
    kept, table = forward(net, picture), layer_table(net.spec, 32)
    for unit in ("layer1.0", "layer1.2"):
        box, row = kept.box(unit, 16, 16), table.row(unit)
        assert row is not None
        assert box.bottom - box.top == box.right - box.left == row.receptive_field


def test_half_of_what_a_number_sees_lies_in_a_small_part_of_its_field() -> None:
    net, picture = bundled("resnet20-cifar10")
    kept = forward(net, picture)
    found = field(net, picture, kept, "layer2.2", (0, 8, 8))
    assert 0 < found.core < 0.5
    outside = found.strength.copy()
    outside[found.box.top : found.box.bottom, found.box.left : found.box.right] = 0
    assert not outside.any()


def test_channels_are_ordered_by_what_is_asked() -> None:
    net, picture = bundled("resnet20-cifar10")
    kept = forward(net, picture)
    seen = replace(look(net, kept, "layer3.1"), effect=effect(net, picture, "layer3.1", 3))
    for order in ORDERS:
        ordered = seen.ordered(order)
        assert sorted(ordered) == list(range(64))
        assert (np.diff(np.abs(seen.measure(order))[ordered]) <= 0).all()
    assert seen.energy[5] == pytest.approx((seen.joined[5].astype(float) ** 2).sum())
    assert ((seen.share >= 0) & (seen.share <= 1)).all()
    with pytest.raises(ValueError, match="effect"):
        look(net, kept, "layer3.1").ordered("effect")


def test_the_effect_of_the_last_block_is_its_share_of_the_logit() -> None:
    """Behind it stand an average and a linear layer: gradient × activation adds up to the logit but for the bias."""
    net, picture = bundled("resnet20-cifar10")
    found = effect(net, picture, "layer3.2", 5)
    logit = forward(net, picture).logits[5]
    assert found.sum() + net.get_submodule("fc").bias[5].item() == pytest.approx(logit, rel=1e-4)


@pytest.mark.parametrize(("branch", "skip"), [(0.0, 1.0), (1.0, 0.0), (0.5, 1.5)])
def test_a_scaled_unit_answers_as_a_network_with_that_lesion(branch: float, skip: float) -> None:
    classifier = load_bundled("resnet20-cifar10")
    photograph = sample_photographs()["Cat"]
    net, picture = classifier.private_view(), classifier.preprocessing.tensor(photograph)
    before, logits = state(net), forward(net, picture).logits
    found = changed(net, picture, "layer1.1", branch, skip)
    assert state(net) == before
    assert not np.allclose(found, logits)
    if branch == 0:
        lesioned = replace(classifier.spec, dropped=frozenset({"layer1.1"}))
    elif skip == 0:
        lesioned = classifier.spec.toggled("layer1.1")
    else:
        seen = look(net, forward(net, picture), "layer1.1", branch, skip)
        whole = look(net, forward(net, picture), "layer1.1")
        assert np.array_equal(seen.joined, np.float32(branch) * whole.residual + np.float32(skip) * whole.identity)
        return
    answer = predict(classifier, photograph, classifier.private_view(lesioned))
    assert found == pytest.approx(answer.logits, abs=1e-4)


def test_the_head_reads_every_block_of_the_last_stage_and_ends_with_the_answer() -> None:
    for name, units in (("resnet20-cifar10", 3), ("resnet18-imagenette", 2)):
        net, picture = bundled(name)
        before = state(net)
        found = readout(net, picture)
        stage = found.units[-1].split(".")[0]
        assert found.units == tuple(f"{stage}.{n}" for n in range(units))
        assert found.logits[-1] == pytest.approx(forward(net, picture).logits, rel=1e-4, abs=1e-4)
        without = readout(net, picture, found.units[1], skip=0)
        assert without.logits[0] == pytest.approx(found.logits[0], abs=1e-4)
        assert not np.allclose(without.logits[1], found.logits[1], atol=1e-2)
        assert state(net) == before


def test_a_head_with_a_norm_of_its_own_reads_pre_activation_blocks() -> None:
    net = seeded(SEEDED[2])
    found = readout(net, noise())
    x = torch.from_numpy(look(net, forward(net, noise()), "layer3.0").output)[None]
    with torch.no_grad():
        pooled = net.get_submodule("act")(net.get_submodule("norm")(x)).mean((2, 3))
        assert found.logits[0] == pytest.approx(net.get_submodule("fc")(pooled)[0].numpy(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("method", NEURON_METHODS)
def test_why_a_number_is_on_equals_captums_plain_call(method: str) -> None:
    from captum.attr import NeuronDeconvolution, NeuronGradient, NeuronGuidedBackprop, NeuronIntegratedGradients

    classifier, cat, unit = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"], "layer2.1"
    net = classifier.private_view()
    x = classifier.preprocessing.tensor(cat)
    kept = forward(net, x)
    output = look(net, kept, unit).output
    at = tuple(int(i) for i in np.unravel_index(output.argmax(), output.shape))
    assert len(at) == 3
    found, before = neuron(classifier, cat, unit, at, method), state(classifier.net)
    module = net.get_submodule(unit)
    if method == "integrated-gradients":
        theirs = NeuronIntegratedGradients(net, module).attribute(x, at, n_steps=20)
        empty = look(net, forward(net, torch.zeros_like(x)), unit).output[at]
        assert found.target_change == pytest.approx(output[at] - empty, rel=1e-3)
        assert found.delta == pytest.approx(float(theirs.sum()) - (output[at] - empty), abs=1e-2)
    elif method == "input-x-gradient":
        theirs = x * NeuronGradient(net, module).attribute(x, at)
    else:
        theirs = {"guided-backprop": NeuronGuidedBackprop, "deconvolution": NeuronDeconvolution}[method](net, module).attribute(
            x, at
        )
    expected = theirs.detach().sum(1)[0].numpy()
    assert np.linalg.norm(found.values - expected) < 2e-3 * np.linalg.norm(expected)
    assert state(classifier.net) == before


def test_a_neuron_method_needs_the_relus_it_has_rules_for() -> None:
    from tests.test_attribution import classifier_of

    classifier = classifier_of(NetSpec(blocks=(1,), width=4, activation=Activation.GELU))
    assert neuron_methods(classifier) == ("integrated-gradients", "input-x-gradient")
    with pytest.raises(ValueError, match="integrated-gradients"):
        neuron(classifier, sample_photographs()["Cat"], "layer1.0", (0, 0, 0), "guided-backprop")


def test_no_hook_is_left_after_an_error() -> None:
    net = seeded(SMALL)
    kept, picture = forward(net, noise()), noise()
    before = state(net)

    def broken(*_: object) -> None:
        raise RuntimeError("injected")

    handle = net.get_submodule("layer3.1.conv2").register_forward_pre_hook(broken)
    broken_state = state(net)
    for call in (
        lambda: forward(net, picture),
        lambda: changed(net, picture, "layer1.1", 0.5),
        lambda: readout(net, picture, "layer1.1", skip=0),
        lambda: effect(net, picture, "layer1.1", 0),
        lambda: field(net, picture, kept, "layer3.1", (0, 0, 0)),
        lambda: arithmetic(net, kept, "layer3.1", (0, 0, 0)),
    ):
        with pytest.raises(RuntimeError, match="injected"):
            call()
        assert state(net) == broken_state
    handle.remove()
    assert state(net) == before


def test_what_cannot_be_asked_is_said() -> None:
    net = seeded(SMALL)
    kept = forward(net, noise())
    with pytest.raises(ValueError, match=r"'layer9\.9' is no unit"):
        look(net, kept, "layer9.9")
    with pytest.raises(ValueError, match="eval mode"):
        forward(net.train(), noise())
