"""Trained networks taken apart, checked by other means: plain loops, modules put in place by hand, every path enumerated."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import product
from math import comb

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from resviz.data.datasets import named_sets
from resviz.data.images import ImageSet
from resviz.figures import anatomy, captions
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.inference.skipless import skipless
from resviz.nets.unit import Net
from resviz.probes.lesion import drawn, layers_of, lesions, several, singles, swaps
from resviz.probes.paths import path_gradients, path_lengths
from resviz.probes.refine import refinement
from resviz.probes.skipless import removal
from resviz.results import Draws, Lesions, PathLengths, Refinement, SkipRemoval
from resviz.spec.lesion import Lesion, lesion_from_query, lesion_to_query
from resviz.spec.net import Activation, Block, NetSpec, Norm, Shortcut, Stem
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES
from tests.foreign import trained

SPEC = NetSpec(blocks=(2, 2, 2), width=8, in_channels=1)
HELD_OUT = named_sets("digits")[1]


def learned(spec: NetSpec) -> Net:
    """Three epochs on the digits: enough to be right more often than not."""
    run = Training(spec, *named_sets("digits"), replace(RECIPES["digits"], epochs=3), precision="float32", threads=1)
    for _ in run:
        pass
    return run.net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def residual() -> Net:
    return learned(SPEC)


@pytest.fixture(scope="module")
def plain() -> Net:
    return learned(SPEC.plain())


@torch.no_grad()
def wrong(net: nn.Module, images: ImageSet = HELD_OUT) -> float:
    """The error in percent, picture by picture counted."""
    labels = net(images.normalised(images.images)).argmax(1)
    return 100 * sum(int(found != label) for found, label in zip(labels, images.labels, strict=True)) / len(images)


def wired(net: Net, **changes: frozenset[str]) -> Net:
    """The network built with these blocks cut or dropped from the beginning, and given the same weights."""
    other = build(replace(net.spec, **changes))
    other.load_state_dict(net.state_dict())
    return other.eval()


def state(net: nn.Module) -> object:
    hooks = {name: (len(m._forward_hooks), len(m._forward_pre_hooks)) for name, m in net.named_modules()}
    return hooks, {name: (p.requires_grad, p.grad is None) for name, p in net.named_parameters()}, net.training


def test_every_single_lesion_is_what_a_plain_loop_counts(residual: Net) -> None:
    before = state(residual)
    found = lesions(residual, HELD_OUT, singles(residual))
    names = [name for name, _ in residual.units()]
    assert found.base == wrong(residual)
    assert found.of("dropped") == {name: wrong(wired(residual, dropped=frozenset({name}))) for name in names}
    assert found.of("cut") == {name: wrong(wired(residual, cut=frozenset({name}))) for name in names}
    assert len(set(found.errors.values())) > 6  # so that equal numbers mean something
    assert state(residual) == before


def test_several_parts_at_once_and_swapped_blocks_are_what_a_plain_loop_counts(residual: Net) -> None:
    both = Lesion(frozenset({"layer1.1", "layer3.1"}), frozenset({"layer2.1"}))
    swap = Lesion(swapped=(("layer1.0", "layer1.1"),))
    back = Lesion(swapped=(("layer1.0", "layer1.1"), ("layer1.1", "layer1.0")))
    found = lesions(residual, HELD_OUT, [both, swap, back])
    assert found.errors[both] == wrong(wired(residual, dropped=both.dropped, cut=both.cut))
    turned = copy.deepcopy(residual)
    turned.layer1[0], turned.layer1[1] = turned.layer1[1], turned.layer1[0]
    assert found.errors[swap] == wrong(turned)
    assert found.errors[back] == found.base


class Smaller(nn.Module):
    """Every second pixel, and zeros for the channels that are missing, half before and half after."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        small = torch.zeros(len(x), self.channels, (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2)
        start = (self.channels - x.shape[1]) // 2
        small[:, start : start + x.shape[1]] = x[:, :, 0::2, 0::2]
        return small


def test_a_layer_bypassed_is_a_layer_replaced_by_hand(plain: Net) -> None:
    found = lesions(plain, HELD_OUT, singles(plain)).of("bypassed")
    assert list(found) == [conv for convs in layers_of(plain).values() for conv in convs]
    for name, error in found.items():
        other = copy.deepcopy(plain)
        block, conv = name.rsplit(".", 1)
        unit = other.get_submodule(block)
        layer = unit.get_submodule(conv)
        setattr(unit, conv, Smaller(layer.out_channels) if layer.stride != (1, 1) else nn.Identity())
        setattr(unit, f"bn{conv[-1]}", nn.Identity())
        assert error == wrong(other), name


def test_errors_arrive_one_by_one_and_a_cancelled_run_leaves_nothing_behind(plain: Net) -> None:
    seen: list[Lesions] = []

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        assert isinstance(partial, Lesions)
        seen.append(partial)
        if len(seen) == 5:
            raise InterruptedError
        return False

    before = state(plain)
    with pytest.raises(InterruptedError):
        lesions(plain, HELD_OUT, singles(plain), tick)
    assert [len(each.errors) for each in seen] == [0, 1, 2, 3, 4]
    assert {each.base for each in seen} == {wrong(plain)}
    assert state(plain) == before


def test_fifty_four_lesions_compute_hardly_more_than_half_of_as_many_passes() -> None:
    net, calls = build(NetSpec(width=4, in_channels=1)).eval(), [0]
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    few = HELD_OUT.subset(2)
    with torch.no_grad():
        net(few.normalised(few.images))
    once, calls[0] = calls[0], 0
    assert len(singles(net)) == 54
    lesions(net, few, singles(net))
    assert calls[0] <= 0.6 * 54 * once


def test_random_lesions_are_fixed_and_fit(residual: Net, plain: Net) -> None:
    assert drawn(residual, 3) == drawn(residual, 3)
    assert all(len(lesion.dropped) == 3 and not lesion.cut for lesion in drawn(residual, 3))
    assert all(len(lesion.bypassed) == 2 for lesion in drawn(plain, 2))
    assert all(lesion.swapped == (("layer1.0", "layer1.1"),) for lesion in swaps(residual, 1))  # the only two of one shape
    found = several(residual, HELD_OUT.subset(20), draws=3)
    assert {title: (each.counts, each.errors.shape) for title, each in found.items()} == {
        "branches dropped": ((1, 2, 4), (3, 3)),
        "pairs swapped": ((1, 2, 4), (3, 3)),
    }
    with pytest.raises(ValueError, match="7 parts cannot be taken away from 6"):
        drawn(residual, 7)
    with pytest.raises(ValueError, match="none can change places"):
        swaps(plain, 1)
    with pytest.raises(ValueError, match=r"no 'layer9\.0'"):
        lesions(residual, HELD_OUT, [Lesion(frozenset({"layer9.0"}))])


# ------------------------------------------------------------------------------------------ paths


class Gate(torch.autograd.Function):
    """The identity; what comes back is multiplied."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.factor, None


def gated(net: Net, images: Tensor, labels: Tensor, branches: list[float], skips: list[float]) -> Tensor:
    """The gradient at what enters the first block, every branch's and every skip's multiplied on its way back."""
    x = net.stem(images).detach().requires_grad_()
    signal = x
    for (_, unit), branch, skip in zip(net.units(), branches, skips, strict=True):
        entered = unit.entry(signal)
        aside = Gate.apply(unit.identity(signal, entered), skip)
        signal = unit.after(Gate.apply(unit.residual(entered), branch) + aside)
    return torch.autograd.grad(nn.functional.cross_entropy(net.head(signal), labels), x)[0]


KINDS = [
    SPEC,
    replace(SPEC, shortcut=Shortcut.C),
    replace(SPEC, block=Block.PREACT_BASIC),
    replace(SPEC, norm=Norm.GROUP, block=Block.BOTTLENECK),
]


@pytest.fixture(params=range(len(KINDS)))
def asked(request: pytest.FixtureRequest) -> tuple[Net, Tensor, Tensor]:
    net = build(KINDS[request.param])
    with torch.no_grad():
        trained(net)
    few = HELD_OUT.subset(6)
    return net.eval(), few.normalised(few.images), few.labels


def test_every_lengths_gradient_is_the_sum_of_all_paths_of_that_length(asked: tuple[Net, Tensor, Tensor]) -> None:
    net, images, labels = asked
    found = path_gradients(net, images, labels)
    expected = torch.zeros(7, *found.shape[1:])
    for taken in product((0.0, 1.0), repeat=6):  # 64 paths
        expected[int(sum(taken))] += gated(net, images, labels, list(taken), [1 - each for each in taken])
    scale = expected.flatten(1).norm(dim=1).max()
    assert ((found - expected).flatten(1).norm(dim=1) < 1e-4 * scale).all()
    whole = gated(net, images, labels, [1.0] * 6, [1.0] * 6)
    assert (found.sum(0) - whole).norm() < 1e-4 * whole.norm()


def test_the_gradient_is_a_polynomial_in_what_every_branch_is_multiplied_by(asked: tuple[Net, Tensor, Tensor]) -> None:
    net, images, labels = asked
    found = path_gradients(net, images, labels)
    for t in (-1.0, 0.5):
        expected = gated(net, images, labels, [t] * 6, [1.0] * 6)
        added = sum(t**k * each for k, each in enumerate(found))
        assert (added - expected).norm() < 1e-4 * found.flatten(1).norm(dim=1).max()


def test_shares_add_up_and_a_unit_with_one_way_lengthens_no_path(residual: Net, plain: Net) -> None:
    few = HELD_OUT.subset(12)
    images = few.normalised(few.images)
    before = state(residual)
    found = path_lengths(residual, images, few.labels)
    assert state(residual) == before
    assert found.off < 1e-4
    assert found.share.sum() == pytest.approx(1)
    assert found.along.sum() == pytest.approx(1, abs=1e-4)
    assert found.paths.tolist() == [comb(6, k) / 64 for k in range(7)]
    assert path_lengths(plain, images, few.labels).share.tolist() == [1]
    lesioned = wired(residual, cut=frozenset({"layer1.1"}), dropped=frozenset({"layer3.1"}))
    fewer = path_lengths(lesioned, images, few.labels)
    assert fewer.units == 4
    assert fewer.off < 1e-4


def test_the_papers_share_of_paths_belongs_to_fifty_four_blocks() -> None:
    def between(blocks: int) -> float:
        paths = PathLengths(np.ones(blocks + 1), np.ones(blocks + 1), 1.0, 0.0, blocks, 1).paths
        return 100 * float(paths[5:18].sum())

    assert between(54) == pytest.approx(0.4537, abs=1e-4)  # Veit et al. 2016 print 0.45 %
    assert between(27) == pytest.approx(93.9, abs=0.05)


def test_paths_take_half_of_the_unit_passes_of_as_many_backward_passes() -> None:
    net, passes = build(NetSpec(blocks=(3, 3, 3), width=4, in_channels=1)).eval(), [0]
    for _, unit in net.units():
        unit.conv2.register_full_backward_hook(lambda *_: passes.__setitem__(0, passes[0] + 1))
    few = HELD_OUT.subset(2)
    path_gradients(net, few.normalised(few.images), few.labels)
    assert passes[0] <= 1.1 * (9 + 1) * 9


# ------------------------------------------------------------------------------------------ refinement


def test_cosines_ratios_and_read_outs_are_what_hooks_see(residual: Net) -> None:
    few = HELD_OUT.subset(40)
    images = few.normalised(few.images)
    found = refinement(residual, images, few.labels)
    kept: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(inputs[0].requires_grad_())
        inputs[0].retain_grad()

    handles = [unit.register_forward_pre_hook(keep) for _, unit in residual.units()]
    nn.functional.cross_entropy(residual(images), few.labels).backward()
    for handle in handles:
        handle.remove()
    for (name, unit), entered, cosine, ratio in zip(residual.units(), kept, found.cosines, found.ratios, strict=True):
        step = unit.residual(entered).detach()
        assert ratio == pytest.approx((step.norm() / entered.detach().norm()).item(), rel=1e-4)
        if step.shape != entered.shape:
            assert np.isnan(cosine), name
            continue
        one, other = step.flatten(1).double().numpy(), -entered.grad.flatten(1).double().numpy()
        expected = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert cosine == pytest.approx(expected.mean(), abs=1e-4)
    assert list(found.read) == ["layer3.0", "layer3.1"]
    assert found.read["layer3.1"] == pytest.approx(wrong(residual, few))
    without_last = wired(residual, dropped=frozenset({"layer3.1"}))
    assert found.read["layer3.0"] == pytest.approx(wrong(without_last, few))  # x ≥ 0 passes the last ReLU as it is


def test_a_network_without_skips_has_no_steps(plain: Net) -> None:
    with pytest.raises(ValueError, match="none of its blocks has a skip"):
        refinement(plain, HELD_OUT.normalised(HELD_OUT.images[:2]), HELD_OUT.labels[:2])


# ------------------------------------------------------------------------------------------ without skips

EXACT = [
    SPEC,
    replace(SPEC, shortcut=Shortcut.C, block=Block.BOTTLENECK),
    replace(SPEC, shortcut=Shortcut.B, stem=Stem.IMAGENET, cut=frozenset({"layer1.1", "layer2.0"})),
    replace(SPEC, stem=Stem.DEEP, shortcut=Shortcut.B),
    replace(SPEC, norm=Norm.NONE),
    replace(SPEC, residual=False),
]


@pytest.mark.parametrize("spec", EXACT, ids=lambda spec: f"{spec.block}-{spec.shortcut}-{spec.norm}-{spec.residual}")
def test_without_any_skip_the_answers_stay(spec: NetSpec) -> None:
    net = build(spec)
    with torch.no_grad():
        trained(net)
    net.eval()
    side = 32 if spec.stem.photographs else 8
    images = torch.randn(16, 1, side, side, generator=torch.Generator().manual_seed(0))
    expected = net(images)
    found = removal(copy.deepcopy(net), copy.deepcopy(net), images, repeats=1)
    assert found.off <= 1e-4 * max(1, found.largest)
    assert found.largest == pytest.approx(expected.abs().max().item(), rel=1e-4)
    assert found.changed == 0
    plain = skipless(copy.deepcopy(net))
    assert torch.allclose(plain(images), expected, atol=1e-4 * max(1, found.largest))
    blocks = [module for name, module in plain.named_modules() if name in set(spec.block_names())]
    assert {type(layer) for block in blocks for layer in block} == {nn.Conv2d, nn.ReLU}  # and nothing that adds
    assert (found.parameters[1] > found.parameters[0]) == spec.residual


@pytest.mark.parametrize(
    "changes",
    [
        {"block": Block.PREACT_BASIC},
        {"norm": Norm.GROUP},
        {"activation": Activation.GELU},
        {"dropped": frozenset({"layer1.1"})},
        {"block": Block.BOTTLENECK, "groups": 2},
        {"shortcut": Shortcut.D, "blocks": (1, 1)},
    ],
    ids=str,
)
def test_what_cannot_be_done_without_loss_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"the skip of layer(1\.[01]|2\.0) cannot be taken away without loss"):
        skipless(build(replace(SPEC, **changes)).eval())


# ------------------------------------------------------------------------------------------ links


def test_a_lesion_goes_into_a_link_and_comes_back() -> None:
    lesion = Lesion(frozenset({"layer1.10", "layer1.9"}), frozenset({"layer2.0"}), frozenset({"layer3.1.conv2"}))
    assert lesion_to_query(lesion) == {"drop": "1.9,1.10", "sever": "2.0", "bypass": "3.1.conv2"}
    assert lesion_from_query(lesion_to_query(lesion)) == lesion
    assert lesion_from_query({"drop": "x,1.,<script>,0.1,1.01,²", "sever": "", "bypass": "1.0.bn1"}) == Lesion()


@pytest.mark.parametrize("given", ["1.0,1.1", "9.9", "1.0.conv1"])
def test_what_a_network_has_not_is_left_out(given: str) -> None:
    lesion = lesion_from_query({"drop": given, "sever": "1.0", "bypass": "1.0.conv1,1.0.conv7"})
    convs = {row.name for unit in layer_table(SPEC, 8).units for row in unit.convs}
    kept = lesion.within(SPEC, convs)
    assert kept.dropped <= set(SPEC.block_names())
    assert not kept.dropped & kept.cut
    assert not kept.bypassed
    assert lesion.within(SPEC.plain(), convs) == Lesion(bypassed=frozenset({"layer1.0.conv1"}))


def test_a_click_takes_away_and_puts_back() -> None:
    dropped = Lesion().toggled("drop", "layer1.0")
    assert dropped == Lesion(frozenset({"layer1.0"}))
    assert dropped.toggled("drop", "layer1.0") == Lesion()
    assert dropped.toggled("cut", "layer1.0") == Lesion(cut=frozenset({"layer1.0"}))
    assert Lesion().toggled("drop", "layer1.0.conv1").bypassed == {"layer1.0.conv1"}


# ------------------------------------------------------------------------------------------ figures and captions


def one(name: str) -> frozenset[str]:
    return frozenset({name})


FOUND = Lesions(
    5.0,
    {
        Lesion(one("layer1.0")): 20.0,
        Lesion(cut=one("layer1.0")): 90.0,
        Lesion(one("layer1.1")): 6.0,
        Lesion(cut=one("layer1.1")): 70.0,
        Lesion(one("layer2.0")): 7.0,
        Lesion(one("layer1.0") | one("layer1.1")): 50.0,
    },
    200,
)
LAYERS = Lesions(10.0, {Lesion(bypassed=one("layer1.0.conv1")): 88.0, Lesion(bypassed=one("layer1.0.conv2")): 80.0}, 1)
DRAWN = {"branches dropped": Draws((1, 4), np.array([[6.0, 8.0, 7.0], [40.0, 20.0, 30.0]]), 5.0, 200)}
LENGTHS = PathLengths(np.array([6.0, 3.0, 0.9, 0.1]), np.array([0.6, 0.3, 0.09, 0.01]), 5.0, 2e-7, 3, 64)
STEPS = Refinement(
    ("layer3.0", "layer3.1", "layer3.2", "layer3.3"),
    np.array([np.nan, 0.1, -0.2, 0.3]),
    np.array([1.0, 0.5, 0.25, 0.75]),
    {"layer3.0": 60.0, "layer3.3": 5.0},
    256,
)


def test_what_is_said_of_a_lesion() -> None:
    assert captions.lesion_note(Lesion(), 5.0, 5.0, 200) == "As it is, the network answers **5.0 %** of 200 pictures wrongly."
    assert captions.lesion_note(Lesion(one("a"), one("b") | one("c")), 5.0, 20.0, 1) == (
        "With 1 branch dropped and 2 skips cut, **20.0 %** of 1 picture are answered wrongly, 15.0 points more than as it is."
    )
    same = captions.lesion_note(Lesion(one("a") | one("b")), 5.0, 5.01, 200)
    assert same == "With 2 branches dropped, **5.0 %** of 200 pictures are answered wrongly, as before."
    assert "4.0 points less" in captions.lesion_note(Lesion(bypassed=one("a")), 5.0, 1.0, 200)


def test_what_is_said_of_all_lesions() -> None:
    assert captions.lesions_note(FOUND) == (
        "As it is, 5.0 % of 200 pictures are wrong; without one branch the median is **7.0 %**, at most 20.0 % (`layer1.0`); "
        "without one skip it is **80.0 %**, at least 70.0 % (`layer1.1`)."
    )
    assert captions.lesions_note(LAYERS).endswith(
        "with the identity in one layer's place the median is **84.0 %**, at least 80.0 % (`layer1.0.conv2`)."
    )
    assert captions.lesions_note(Lesions(5.0, {}, 200)) == "As it is, 5.0 % of 200 pictures are wrong."


def test_what_is_said_beside_the_paper_about_lesions() -> None:
    said = captions.beside_veit(FOUND)
    assert (
        "a median of +2.0 points: agrees. The worst is `layer1.0`, the first block (+15.0 points), not where the paper has it."
        in said
    )
    down = replace(FOUND, errors={Lesion(one("layer1.0")): 6.0, Lesion(one("layer2.0")): 30.0, Lesion(one("layer2.1")): 20.0})
    assert (
        "+15.0 points: differs. The worst is `layer2.0`, a downsampling block (+25.0 points), where the paper has it."
        in captions.beside_veit(down)
    )
    assert "a median of 84.0 % beside 10.0 %: agrees." in captions.beside_veit(LAYERS)
    assert captions.beside_veit(Lesions(5.0, {}, 200)) == ""


def test_what_is_said_of_several() -> None:
    said = captions.draws_note(DRAWN)
    assert said.startswith("**Branches dropped**, median of 3 draws: 1: 7.0 %, 4: 30.0 %. ")
    assert said.endswith("**We measure**: agrees.")
    falls = {"pairs swapped": replace(DRAWN["branches dropped"], base=50.0)}
    assert captions.draws_note(falls).endswith("it does not rise at every step.")


def test_what_is_said_of_paths() -> None:
    assert LENGTHS.carrying() == (0, 2)  # 0.6 + 0.3 + 0.09
    assert captions.paths_by_length_note(LENGTHS) == (
        "95 % of the lengths' gradients come by paths through **0 to 2 of 3 blocks**, which are 88 % of all 2^3 paths; the mean length is "
        "0.5 where the paths' own is 1.5. All lengths together are the gradient that one backward pass gives, to 2.0×10⁻⁷; their norms "
        "add up to 2.00 times its norm, since paths also cancel. Loss of 64 pictures, at what enters the first block."
    )
    assert captions.beside_veits_paths(LENGTHS) == (
        "**The paper says** (Veit et al. 2016, §4.4, ResNet-110 on CIFAR-10, paths sampled one by one) that almost all of the gradient "
        "comes by paths through 5 to 17 of 54 blocks, which are 0.45 % of all paths. Of all paths through this network's "
        "3 blocks they are 0 %. **We measure** a mean length of 0.5, half of the blocks being 1.5: agrees: shorter paths carry more than their "
        "number. We add paths of one length up before we take the norm; the paper multiplies the norm of one by their number."
    )
    long = replace(LENGTHS, norms=np.array([0.0, 0.0, 1.0, 1.0]))
    assert "2.5, half of the blocks being 1.5: differs." in captions.beside_veits_paths(long)
    single = PathLengths(np.ones(1), np.ones(1), 1.0, 0.0, 0, 1)
    assert "there is one path" in captions.paths_by_length_note(single)
    assert captions.beside_veits_paths(single) == ""


def test_what_is_said_of_steps() -> None:
    said = captions.refinement_note(STEPS)
    assert said.startswith(
        "2 of 3 blocks that keep the shape step down the loss, their F(x) along −∂L/∂x (cosine 0.100 in the middle)."
    )
    assert "`layer3.2` adds least: ‖F(x)‖/‖x‖ = 0.250." in said
    assert said.endswith("60.0 % of 256 pictures are wrong after `layer3.0` and 5.0 % after `layer3.3`.")
    assert "the direction agrees; the error read out along the last stage falls, which agrees." in captions.beside_jastrzebski(
        STEPS
    )
    up = replace(STEPS, cosines=-STEPS.cosines, read={"layer3.0": 5.0, "layer3.3": 5.0})
    assert (
        "the direction is not clearly that one; the error read out along the last stage does not fall, which differs."
        in captions.beside_jastrzebski(up)
    )


def test_what_is_said_without_skips() -> None:
    found = SkipRemoval(2e-6, 12.0, 0, 27, (1000, 2000), (0.01, 0.03), 297)
    said = captions.skipless_note(found)
    assert said == (
        "All 27 skips taken away, 0 of 297 answers differ, and logits of up to 12.0 by at most **2.0×10⁻⁶**. "
        "x goes along in channels of its own: 1.00 k parameters become 2.00 k (2.00 times), a pass takes 3.00 times as long. "
        "**The paper says** (Meng et al. 2021, RMNet, arXiv 2111.00687) that skips can be removed exactly behind ReLUs. "
        "**We measure**: agrees. "
        "So a skip is worth so many channels once the network is trained; whether it could have been trained like that, this does not say."
    )
    assert "**We measure**: differs. So" in captions.skipless_note(replace(found, changed=1))
    assert "**We measure**: differs. So" in captions.skipless_note(replace(found, off=2e-4))


def test_figures_and_files_show_what_was_measured() -> None:
    table = layer_table(SPEC, 8)
    paint, notes, scale = anatomy.error_paint(FOUND.of("dropped"), FOUND.base, 90.0, table)
    assert notes["layer1.0.conv2"] == "error 20.0 %"
    assert paint["layer1.0.conv1"] == paint["layer1.0.conv2"] == scale[1][round(15 / 85 * 23)]
    assert "layer3.0.conv1" not in paint
    lines = anatomy.lesion_lines(FOUND, LAYERS).series
    assert [(line.name, list(line.x), list(line.y)) for line in lines] == [
        ("without its branch", [0, 1, 2], [20.0, 6.0, 7.0]),
        ("without its skip", [0, 1], [90.0, 70.0]),
        ("identity in a layer's place", [0, 0.5], [88.0, 80.0]),
    ]
    middle = [line for line in anatomy.draws_lines(DRAWN).series if line.legend]
    assert [(list(line.x), list(line.y)) for line in middle] == [([0, 1, 4], [5.0, 7.0, 30.0])]
    paths, share = anatomy.path_lines(LENGTHS).series
    assert list(paths.y) == [12.5, 37.5, 37.5, 12.5]
    assert np.allclose(share.y, [60, 30, 9, 1])
    assert np.isnan(anatomy.cosine_line(STEPS).series[0].y[0])
    assert list(anatomy.read_line(STEPS).series[0].y) == [60.0, 5.0]
    assert anatomy.lesion_csv(FOUND).splitlines()[:3] == ["lesion,part,error", ",,5", "dropped,layer1.0,20"]
    assert anatomy.draws_csv(DRAWN).splitlines()[1] == "branches dropped,1,0,6"
    assert anatomy.path_csv(LENGTHS).splitlines()[1] == "0,0.125,6,0.6,0.6"
    assert anatomy.refine_csv(STEPS).splitlines()[4] == "layer3.3,0.3,0.75,5"
