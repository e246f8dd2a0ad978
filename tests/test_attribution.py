"""Every method against arithmetic, and what it must leave alone."""

from __future__ import annotations

import contextlib
import random
import re
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from resviz.attribution.baselines import BASELINES, baseline
from resviz.attribution.batch_size import Timings, timings_of
from resviz.attribution.faithfulness import faithfulness
from resviz.attribution.method import Evidence, Score, Setting
from resviz.attribution.methods.cam import full_gradient
from resviz.attribution.methods.gradient import TUNNELLED
from resviz.attribution.methods.perturbation import superpixels
from resviz.attribution.methods.relevance import RULES
from resviz.attribution.methods.table import METHODS, available
from resviz.attribution.paths import grad_cam_by_block, two_paths
from resviz.attribution.question import Asked, Case, attribute, snippet
from resviz.data.uploads import sample_photographs
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.inference.fused import near
from resviz.progress import Cancelled
from resviz.spec.net import Activation, Block, NetSpec, Norm, Shortcut, Stem
from resviz.spec.presets import PRESETS
from resviz.zoo.bundled import load_bundled
from resviz.zoo.classifier import Classifier, Preprocessing, predict

SIDE = 8


class Linear(nn.Module):
    """Logits that are sums of weighted pixels: every method's answer is known."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.spec = NetSpec(blocks=(1,))
        self.layer = nn.Conv2d(3, 3, 1, bias=False)
        self.layer.weight.data = torch.eye(3)[:, :, None, None]
        self.fc = nn.Linear(3 * SIDE * SIDE, 2, bias=True)
        self.fc.weight.data = torch.randn(2, 3 * SIDE * SIDE, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.layer(x).flatten(1))


def linear() -> tuple[Linear, Tensor, Tensor]:
    """The network, a picture, and class 1's weights as a picture."""
    net = Linear().eval().requires_grad_(False)
    x = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    return net, x, net.fc.weight[1].view(1, 3, SIDE, SIDE)


def evidence(method: str, score: Score, x: Tensor, **values: str | float) -> Evidence:
    """The method's own answer, with its usual parameters but for `values`."""
    return METHODS[method].run(Setting(score, x, METHODS[method].defaults(x.shape[-1]) | values, layer="layer"))


def found(method: str, net: Linear, x: Tensor, **values: str | float) -> np.ndarray:
    return evidence(method, Score(net, 1), x, **values).values


def flat(x: Tensor) -> np.ndarray:
    return x.sum(1)[0].double().numpy()


@pytest.mark.parametrize("method", ["integrated-gradients", "input-x-gradient", "deeplift", "deeplift-shap"])
def test_a_linear_score_is_shared_out_exactly(method: str) -> None:
    net, x, weights = linear()
    result, base = evidence(method, Score(net, 1), x), torch.zeros_like(x)
    if method == "deeplift-shap":
        base = torch.cat([baseline(x, kind) for kind in ("mean", "black", "blur")]).mean(0, keepdim=True)
    assert result.values == pytest.approx(flat(weights * (x - base)), abs=1e-4)
    if method != "input-x-gradient":  # it has no check of its own
        assert result.change == pytest.approx(float((weights * (x - base)).sum()), abs=1e-3)
        assert abs(result.delta) < 1e-3


def test_gradient_shap_is_an_average_over_its_baselines() -> None:
    """Each sample starts from one of three: a linear score is shared out exactly, by how often each of them was drawn."""
    net, x, weights = linear()
    values = found("gradient-shap", net, x, noise=0.0)
    every = np.stack([flat(weights * (x - baseline(x, kind))).ravel() for kind in ("mean", "black", "blur")])
    share = np.linalg.lstsq(every.T, values.ravel(), rcond=None)[0]
    assert share @ every == pytest.approx(values.ravel(), abs=1e-4)
    drawn = 12 * share  # of as many samples
    assert drawn == pytest.approx(np.rint(drawn), abs=1e-2)
    assert drawn.min() > -0.5
    assert drawn.sum() == pytest.approx(12, abs=1e-2)


@pytest.mark.parametrize("method", ["guided-backprop", "deconvolution"])
def test_without_a_relu_backprop_is_the_gradient(method: str) -> None:
    net, x, weights = linear()
    assert found(method, net, x) == pytest.approx(flat(weights), abs=1e-5)


def test_saliency_is_the_largest_weight_of_a_pixel() -> None:
    net, x, weights = linear()
    assert found("saliency", net, x) == pytest.approx(weights.abs().amax(1)[0].double().numpy(), abs=1e-5)


def test_noise_changes_nothing_where_the_gradient_is_the_same_everywhere() -> None:
    net, x, weights = linear()
    assert found("smoothgrad", net, x) == pytest.approx(flat(weights), abs=1e-4)
    assert found("vargrad", net, x) == pytest.approx(0, abs=1e-4)


def test_occlusion_of_single_pixels_is_what_each_adds() -> None:
    net, x, weights = linear()
    # a window of 2 moves by 1: a pixel's value is the mean over the windows that cover it
    effect = flat(weights * x)
    windows = np.array([[effect[i : i + 2, j : j + 2].sum() for j in range(7)] for i in range(7)])
    expected = np.array([[windows[max(0, i - 1) : i + 1, max(0, j - 1) : j + 1].mean() for j in range(8)] for i in range(8)])
    assert found("occlusion", net, x, window=2) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("method", ["feature-ablation", "kernel-shap", "lime"])
def test_a_region_gets_what_it_adds(method: str) -> None:
    net, x, weights = linear()
    mask = superpixels(x, 8)[0, 0].numpy()
    values, effect = found(method, net, x, superpixels=8, samples=400), flat(weights * x)
    for region in np.unique(mask):
        tolerance = {"feature-ablation": 1e-3, "kernel-shap": 0.05, "lime": 1.5}[method]
        assert values[mask == region].sum() == pytest.approx(effect[mask == region].sum(), abs=tolerance)


def test_layers_of_a_linear_network() -> None:
    net, x, weights = linear()
    assert found("layer-activation", net, x) == pytest.approx(flat(x), abs=1e-5)
    assert found("internal-influence", net, x) == pytest.approx(flat(weights), abs=1e-3)
    # Captum's conductance runs between its first and last point of the path, which leaves out the very ends
    assert found("layer-conductance", net, x, steps=50) == pytest.approx(flat(weights * x), rel=5e-3, abs=1e-4)
    cam = (weights.mean((2, 3), keepdim=True) * x).sum(1)[0].double().numpy()
    assert found("grad-cam", net, x) == pytest.approx(cam, abs=1e-4)
    assert found("guided-grad-cam", net, x) == pytest.approx(flat(weights * torch.from_numpy(cam).clamp(min=0)), abs=1e-3)


def test_class_activation_maps_of_a_linear_network() -> None:
    net, x, weights = linear()
    assert found("hires-cam", net, x) == pytest.approx(flat(weights * x), abs=1e-4)
    assert found("layer-cam", net, x) == pytest.approx(flat(weights.clamp(min=0) * x), abs=1e-4)
    shares = (weights * x).sum((2, 3), keepdim=True) / x.sum((2, 3), keepdim=True)
    assert found("xgrad-cam", net, x) == pytest.approx(flat(shares * x), rel=1e-4, abs=1e-4)
    alpha = 1 / (2 + x.sum((2, 3), keepdim=True) * weights)  # equation 19 with the gradient's square taken out
    plus = (weights.clamp(min=0) * alpha).sum((2, 3), keepdim=True) * x
    assert found("grad-cam-plus-plus", net, x) == pytest.approx(flat(plus), rel=2e-2, abs=2e-2)


def test_eigen_cam_is_the_first_principal_component_and_positive_where_it_is_active() -> None:
    net, x, _ = linear()
    places = x[0].flatten(1).T.double().numpy()
    centred = places - places.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    along = centred @ vectors[:, np.argmax(values)]
    along *= np.sign(along @ places.mean(1))
    assert found("eigen-cam", net, x) == pytest.approx(along.reshape(SIDE, SIDE), abs=1e-3)


def test_score_cam_asks_about_the_picture_through_each_channel() -> None:
    net, x, _ = linear()
    scores = []
    for channel in x[0]:
        mask = (channel - channel.min()) / (channel.max() - channel.min())
        scores.append(net(x * mask)[0, 1])
    weights = torch.softmax(torch.stack(scores), 0)
    assert found("score-cam", net, x) == pytest.approx(flat(weights[None, :, None, None] * x), abs=1e-4)
    one = found("score-cam", net, x, strongest=1)  # alone it has all the weight
    assert one == pytest.approx(x[0, x.square().sum((2, 3)).argmax()].double().numpy(), abs=1e-4)


def test_full_gradient_scales_each_channel_and_takes_what_a_norm_adds_as_its_bias() -> None:
    net, x, weights = linear()
    sizes = (weights * x).abs()[0]
    low, high = sizes.amin((1, 2), keepdim=True), sizes.amax((1, 2), keepdim=True)
    assert found("fullgrad", net, x) == pytest.approx(((sizes - low) / (high - low)).sum(0).double().numpy(), abs=1e-4)
    classifier = load_bundled("resnet20-cifar10")
    picture = classifier.preprocessing.tensor(sample_photographs()["Cat"])
    folded, whole = (full_gradient(Score(view, 3), picture) for view in (classifier.fast_view(), classifier.private_view()))
    assert np.linalg.norm(folded - whole) < 1e-3 * np.linalg.norm(whole)


def test_rise_finds_the_pixels_that_count() -> None:
    net, x, weights = linear()
    torch.manual_seed(0)
    effect = flat(weights * x)
    seen = found("rise", net, x, samples=4000, cells=8)
    assert np.corrcoef(seen.ravel(), effect.ravel())[0, 1] > 0.6
    flattened = found("rise", net, torch.zeros_like(x), samples=200)
    assert flattened == pytest.approx(0, abs=1e-5)  # no evidence, whatever the classifier's bias


def test_one_class_rather_than_another_is_the_difference() -> None:
    net, x, _ = linear()
    both = [evidence("input-x-gradient", Score(net, target), x).values for target in (0, 1)]
    rather = evidence("input-x-gradient", Score(net, 1, against=0), x).values
    assert rather == pytest.approx(both[1] - both[0], abs=1e-4)


def test_baselines() -> None:
    x = torch.randn(1, 3, 32, 32)
    for kind in BASELINES:
        assert baseline(x, kind).shape == x.shape
    with pytest.raises(ValueError, match="'white' is no baseline"):
        baseline(x, "white")


def state(classifier: Classifier) -> list[object]:
    modules = list(classifier.net.modules())
    return [
        [p.requires_grad for p in classifier.net.parameters()],
        [p.grad for p in classifier.net.parameters()],
        [m.training for m in modules],
        [
            len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) + len(m._backward_pre_hooks)
            for m in modules
        ],
        [p.sum().item() for p in classifier.net.state_dict().values()],
    ]


FAST = {"samples": 20, "steps": 10, "superpixels": 12, "strongest": 8}


def few(method: str) -> dict[str, float]:
    return {
        name: max(value, METHODS[method].parameters[name].low)
        for name, value in FAST.items()
        if name in METHODS[method].parameters
    }


@pytest.mark.parametrize("method", METHODS)
def test_each_method_on_the_bundled_networks_for_all_samples(method: str) -> None:
    for name in ("resnet20-cifar10", "resnet18-imagenette"):
        classifier = load_bundled(name)
        before = state(classifier)
        for image in sample_photographs().values():
            side = classifier.preprocessing.crop
            values = few(method) | ({"window": side // 4} if method == "occlusion" else {})
            result = attribute(Case(classifier, image, 3), Asked(method, values=values))
            assert result.values.shape == (side, side)
            assert np.isfinite(result.values).all()
            assert (result.layer is not None) == METHODS[method].layer
        assert state(classifier) == before


def drawn() -> list[object]:
    """Where each of the process's random numbers is."""
    kind, keys, *rest = np.random.get_state()
    return [torch.get_rng_state().tolist(), kind, keys.tolist(), *rest, random.getstate()]


@pytest.mark.parametrize(("method", "of"), [(m, None) for m in METHODS] + [("vargrad", of) for of in TUNNELLED[1:]])
def test_the_callers_random_numbers_go_on_as_if_nothing_was_drawn(method: str, of: str | None) -> None:
    classifier = load_bundled("resnet20-cifar10")
    asked = Asked(method, values=few(method) | ({} if of is None else {"of": of}))
    case, before = Case(classifier, sample_photographs()["Cat"], 0), drawn()
    attribute(case, asked)
    assert drawn() == before

    def interrupt(fraction: float, note: str = "", partial: object = None) -> bool:
        if fraction:
            raise KeyboardInterrupt
        return False

    with contextlib.suppress(KeyboardInterrupt):  # which a single pass does not hear
        attribute(case, asked, interrupt)
    assert drawn() == before


def test_faithfulness_leaves_the_callers_random_numbers() -> None:
    case, asked = Case(load_bundled("resnet20-cifar10"), sample_photographs()["Cat"], 0), Asked("rise", values=few("rise"))
    before = drawn()
    faithfulness(case, asked, attribute(case, asked))
    assert drawn() == before


class OutOfMemory(RuntimeError):
    """What a layer of a network may raise."""


@pytest.mark.parametrize("method", METHODS)
def test_cancelling_and_failing_leave_the_shared_network_alone(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = load_bundled("resnet20-cifar10")
    case, asked = Case(classifier, sample_photographs()["Cat"], 0), Asked(method, values=few(method))
    before, result = state(classifier), attribute(case, asked).values

    def stop(fraction: float, note: str = "", partial: object = None) -> bool:
        raise Cancelled

    with pytest.raises(Cancelled):
        attribute(case, asked, stop)
    assert state(classifier) == before

    def fail(*_: object, **__: object) -> Tensor:
        raise OutOfMemory

    with monkeypatch.context() as broken:  # the classifier of every network, in the middle of a pass
        broken.setattr(torch.nn.functional, "linear", fail)
        with pytest.raises(OutOfMemory):
            attribute(case, asked)
    assert state(classifier) == before
    assert attribute(case, asked).values == pytest.approx(result, rel=1e-3, abs=1e-5)


def test_two_sessions_at_once_get_the_maps_they_would_get_alone() -> None:
    classifier, photographs = load_bundled("resnet20-cifar10"), sample_photographs()
    wanted = [("deeplift", "Cat"), ("guided-backprop", "Coffee"), ("integrated-gradients", "Cat"), ("grad-cam", "Coffee")]
    alone = [attribute(Case(classifier, photographs[name], 1), Asked(method)).values for method, name in wanted]
    together: dict[int, np.ndarray] = {}

    def explain(i: int) -> None:
        method, name = wanted[i]
        for _ in range(3):
            together[i] = attribute(Case(classifier, photographs[name], 1), Asked(method)).values

    threads = [threading.Thread(target=explain, args=(i,)) for i in range(len(wanted))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, values in enumerate(alone):
        assert together[i] == pytest.approx(values, rel=1e-3, abs=1e-5)


def classifier_of(spec: NetSpec) -> Classifier:
    net = build(spec).eval()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):  # as after some training
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.3)
    return Classifier("own", net, Preprocessing(32, 32, (0.5,) * 3, (0.25,) * 3), tuple("0123456789"), "test")


@pytest.mark.parametrize("block", Block)
@pytest.mark.parametrize("norm", Norm)
def test_the_fast_view_is_the_same_function(block: Block, norm: Norm) -> None:
    spec = NetSpec(block=block, blocks=(2, 1), width=8, norm=norm, shortcut=Shortcut.B, cut=frozenset({"layer1.1"}))
    classifier = classifier_of(spec)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        slow, fast = classifier.net(x), classifier.fast_view()(x)
    assert torch.allclose(slow, fast, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("spec", [
    NetSpec(block=Block.BASIC, blocks=(2, 2), width=8, shortcut=Shortcut.A),
    NetSpec(block=Block.BOTTLENECK, blocks=(2, 2), width=8, shortcut=Shortcut.B, cut=frozenset({"layer1.1"})),
    NetSpec(block=Block.BOTTLENECK, blocks=(2, 2), width=8, shortcut=Shortcut.C, dropped=frozenset({"layer2.1"}), stem=Stem.IMAGENET),
    NetSpec(block=Block.BOTTLENECK, blocks=(2, 2), width=8, shortcut=Shortcut.D, stem=Stem.DEEP),
    NetSpec(block=Block.BASIC, blocks=(2, 1), width=8, shortcut=Shortcut.D, stem=Stem.DEEP, dropped=frozenset({"layer2.0"})),
    NetSpec(block=Block.BASIC, blocks=(2,), width=8, residual=False),
    NetSpec(block=Block.PREACT_BASIC, blocks=(2,), width=8),
    NetSpec(block=Block.BASIC, blocks=(2,), width=8, activation=Activation.TANH),
])  # fmt: skip
@pytest.mark.parametrize("side", [32, 33])
def test_the_fused_view_is_the_same_function_with_the_same_gradient(spec: NetSpec, side: int) -> None:
    classifier = classifier_of(spec)
    x = torch.randn(2, 3, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
    answers = []
    for view in (classifier.fast_view(), classifier.fast_view(fused=True)):
        logits = view(x)
        answers.append((logits.detach(), torch.autograd.grad(logits[:, 3].sum(), x)[0]))
    for slow, fast in zip(*answers, strict=True):
        assert (fast - slow).norm() <= 1e-5 * slow.norm()


@pytest.mark.parametrize("stem", [Stem.IMAGENET, Stem.DEEP])
@pytest.mark.parametrize("block", [Block.BASIC, Block.BOTTLENECK])
@pytest.mark.parametrize("side", [128, 132, 130])
@pytest.mark.parametrize("width", [1, 9])
def test_what_is_computed_near_a_change_only_is_the_whole(stem: Stem, block: Block, side: int, width: int) -> None:
    classifier = classifier_of(NetSpec(block=block, blocks=(1, 1), width=8, stem=stem, shortcut=Shortcut.D))
    whole, local = classifier.fast_view(fused=True), classifier.fast_view(fused=True)
    x = torch.randn(1, 3, side, side).contiguous(memory_format=torch.channels_last)
    near(local, x)
    asked = []
    parts = local.early.early
    local.early.early = lambda y: asked.append(y.shape[-1]) or parts(y)
    last = side - width
    corners = [(0, 0), (last, last), (0, last), (last, 0), *[(n, last - n) for n in range(0, last, 7)], (40, 41), (42, 43)]
    pictures = x.repeat(len(corners) + 1, 1, 1, 1).contiguous(memory_format=torch.channels_last)  # the last one is as it was
    for picture, (row, column) in zip(pictures, corners, strict=False):
        picture[:, row : row + width, column : column + width] += 1
    with torch.no_grad():
        for some in pictures.split(5):
            assert torch.allclose(local(some), whole(some), rtol=1e-5, atol=1e-5)
            assert torch.allclose(local.early(some), whole.early(some), rtol=1e-5, atol=1e-5)
    assert (min(asked) < side) == (side % 4 == 0)  # whether it was local at all


def test_a_fused_stem_whose_weights_were_changed_does_not_keep_the_old_gradient() -> None:
    classifier = classifier_of(NetSpec(blocks=(1,), width=8, stem=Stem.IMAGENET))
    x = torch.randn(1, 3, 32, 32).contiguous(memory_format=torch.channels_last).requires_grad_()
    gradients = []
    for view in (classifier.fast_view(), classifier.fast_view(fused=True)):
        view.conv1.weight = nn.Parameter(-view.conv1.weight, requires_grad=False)
        gradients.append(torch.autograd.grad(view(x)[:, 3].sum(), x)[0])
    assert (gradients[0] - gradients[1]).norm() <= 1e-5 * gradients[0].norm()


def bias_free(spec: NetSpec) -> nn.Module:
    net = build(spec).eval().requires_grad_(False)
    for module in net.modules():
        if getattr(module, "bias", None) is not None:
            module.bias.zero_()
    return net


@pytest.mark.parametrize("block", [Block.BASIC, Block.BOTTLENECK, Block.RELU_BEFORE_BASIC])
@pytest.mark.parametrize(
    ("shortcut", "stem"),
    [(Shortcut.A, Stem.CIFAR), (Shortcut.B, Stem.CIFAR), (Shortcut.D, Stem.CIFAR), (Shortcut.D, Stem.DEEP)],
)
def test_relevance_is_conserved_where_a_skip_is_added(block: Block, shortcut: Shortcut, stem: Stem) -> None:
    """Without biases the epsilon rule is input × gradient and hands on the whole score, the others nearly."""
    net = bias_free(NetSpec(block=block, blocks=(2, 2), stem=stem, width=8, norm=Norm.NONE, shortcut=shortcut))
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for against in (None, 5):
        score = Score(net, 3, against)
        exact = evidence("input-x-gradient", score, x).values
        epsilon = evidence("lrp", score, x, rule="epsilon")
        assert np.linalg.norm(epsilon.values - exact) <= 5e-3 * np.linalg.norm(exact)
        assert abs(epsilon.delta) <= 1e-3 * abs(epsilon.change)
    if block is Block.BASIC:  # a bottleneck's 1×1s have units that negative weights alone reach; there the other rules lose some
        for rule in RULES:
            whole = evidence("lrp", Score(net, 3), x, rule=rule)
            assert abs(whole.delta) <= 0.01 * abs(whole.change)


@pytest.mark.parametrize("of", TUNNELLED)
def test_a_noise_tunnel_averages_any_gradient_method(of: str) -> None:
    net, x, weights = linear()
    noisy = found("smoothgrad", net, x, of=of, noise=0.01, samples=40)
    alone = flat(weights) if of == "saliency" else found(of, net, x)
    assert np.linalg.norm(noisy - alone) <= 0.02 * np.linalg.norm(alone)


def test_a_network_without_relus_offers_what_fits() -> None:
    classifier = classifier_of(NetSpec(blocks=(1, 1), width=4, activation=Activation.GELU))
    assert set(METHODS) - set(available(classifier.spec)) == {
        "guided-backprop", "deconvolution", "guided-grad-cam", "lrp", "fullgrad",
    }  # fmt: skip
    case = Case(classifier, sample_photographs()["Cat"], 0)
    for asked in (Asked("guided-backprop"), Asked("smoothgrad", values={"of": "guided-backprop"})):
        with pytest.raises(ValueError, match="Guided Backprop needs ReLUs, and this network has gelu; choose another"):
            attribute(case, asked)


def test_relevance_has_no_rule_for_group_norms() -> None:
    spec = NetSpec(blocks=(1,), width=4)
    assert set(available(spec)) == set(METHODS)
    assert set(METHODS) - set(available(replace(spec, norm=Norm.GROUP))) == {"lrp", "fullgrad"}


@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("activation", Activation)
def test_what_is_offered_is_what_is_answered(norm: Norm, activation: Activation) -> None:
    """`unfit` is asked by the page, the command line and the methods themselves; its reason is the error's."""
    spec = NetSpec(blocks=(1,), width=4, norm=norm, activation=activation)
    case = Case(classifier_of(spec), sample_photographs()["Cat"], 0)
    for name, method in METHODS.items():
        reason = method.unfit(spec)
        assert (name in available(spec)) == (not reason)
        if reason:
            with pytest.raises(ValueError, match=re.escape(f"{method.title} {reason}; choose another")):
                attribute(case, Asked(name))
        else:
            assert np.isfinite(attribute(case, Asked(name, values=few(name))).values).all()


def test_a_name_may_carry_its_layer() -> None:
    asked = Asked.of("grad-cam@layer3.1")
    assert (asked.method, asked.layer, asked.name, asked.title) == (
        "grad-cam", "layer3.1", "grad-cam@layer3.1", "Grad-CAM · layer3.1",
    )  # fmt: skip
    assert Asked.of("grad-cam", {"layer": "layer1.0"}).layer == "layer1.0"
    assert Asked.of("grad-cam@layer3.1", {"layer": "layer1.0"}).layer == "layer3.1"
    assert Asked.of("saliency") == Asked("saliency")
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    assert Asked("grad-cam").complete(classifier) == Asked("grad-cam", "layer3.2", {})
    for asked, words in (
        (Asked.of("saliency@layer3.1"), "looks at no layer; leave out 'layer3.1'"),
        (Asked.of("grad-cam@layer9.9"), "'layer9.9' is no block of resnet20-cifar10; did you mean layer"),
        (Asked.of("grad-cam", {"layer": ""}), "'' is no block of"),
        (Asked.of("grad-cams"), "'grad-cams' is no method; choose one of"),
        (Asked.of("grad-cam", {"steps": 5}), "'steps' is no parameter of Grad-CAM; it has none"),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            attribute(Case(classifier, cat, 3), asked)


def test_wrong_options_name_the_value_and_the_remedy() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    for values, message in (({"steps": 5000}, "from 10 to 300"), ({"baseline": "white"}, "one of mean")):
        with pytest.raises(ValueError, match=message):
            attribute(Case(classifier, cat, 0), Asked("integrated-gradients", values=values))


@pytest.mark.parametrize("method", ["saliency", "grad-cam", "rise"])
def test_a_class_that_does_not_exist_is_named_with_those_that_do(method: str) -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    for wrong, named in ((10, "10"), (-1, "-1"), (1.0, "1.0"), (True, "True"), ([3], "[3]"), ("dog house", "'dog house'")):
        for case in (Case(classifier, cat, wrong), Case(classifier, cat, 0, wrong)):
            with pytest.raises(ValueError, match=rf"^class {re.escape(named)} does not exist; choose 0 to 9$"):
                attribute(case, Asked(method))
    with pytest.raises(ValueError, match=r"^class 'cat' does not exist; choose 0 to 9 \(cat is 3\)$"):
        attribute(Case(classifier, cat, "cat"), Asked(method))
    with pytest.raises(ValueError, match=r"^class None does not exist"):
        attribute(Case(classifier, cat, None), Asked(method))
    assert attribute(Case(classifier, cat, np.int64(3)), Asked(method, values=few(method))).values.any()


def test_the_batch_size_is_what_was_fastest_and_tries_its_neighbours_first() -> None:
    timings = Timings(largest=10, first=3)
    assert timings.sizes == (1, 2, 4, 8)
    took = {1: 1.0, 2: 1.2, 4: 2.0, 8: 9.0}
    asked = []
    for _ in range(9):
        asked.append(timings.size)
        timings.record(timings.size, took[timings.size])
    assert asked == [2, 2, 4, 4, 8, 8, 4, 4, 4]  # the first batch that is larger than all before is not counted
    assert timings.seconds == 0.5
    assert timings.share(25) == 4
    assert timings.share(5) == 3
    assert timings.share(2) == 2


def test_the_batch_size_forgets_a_busy_moment() -> None:
    timings = Timings(largest=8, first=2)
    timings.record(8, 90.0)
    for size, seconds in ((2, 9.0), (4, 40.0), (1, 3.0)):  # others computed too
        timings.record(size, seconds)
    for _ in range(100):
        size = timings.size
        timings.record(size, {1: 1.0, 2: 1.2, 4: 2.0, 8: 9.0}[size])
    assert timings.size == 4


def test_a_first_batch_of_many_decides_nothing() -> None:
    """It fetches memory from the system, so that a larger batch would look slower than it is."""
    timings = Timings(largest=8, first=4)
    for seconds in (9.0, 4.0):
        timings.record(4, seconds)
    timings.record(8, 24.0)
    assert timings.size == 8  # to be tried once more
    timings.record(8, 4.8)
    assert timings.size == 8
    assert timings.seconds == 0.6


def test_an_answer_of_one_batch_is_timed_too() -> None:
    classifier = load_bundled("resnet20-cifar10")
    spec = replace(classifier.spec, width=12)  # of a shape that nothing else here has timed
    network = replace(classifier, net=build(spec).eval())
    for _ in range(2):
        attribute(Case(network, sample_photographs()["Cat"], 3), Asked("saliency"))
    assert timings_of(spec, 32, True).seconds is not None


def test_the_batch_size_stays_within_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESVIZ_MEMORY_GB", "2")
    spec = PRESETS["resnet50"]
    timings = timings_of(replace(spec, seed=123456 % 1000), 208, True)
    table = layer_table(spec, 208)
    each = sum(row.memory for row in table.rows if not row.kind.endswith("norm"))
    assert 4 * table.params + each * timings.sizes[-1] <= 2**31 / 10
    assert 4 * table.params + each * 2 * timings.sizes[-1] > 2**31 / 10


def test_integrated_gradients_shows_coarse_maps_that_become_the_whole() -> None:
    net, x, _ = linear()
    shown: list[np.ndarray] = []
    values = METHODS["integrated-gradients"].defaults(SIDE)
    whole = METHODS["integrated-gradients"].run(Setting(Score(net, 1), x, values, show=shown.append)).values
    assert shown
    for values in shown:  # a linear score has the same gradient everywhere on the path
        assert values == pytest.approx(whole, abs=1e-4)
    reports = []
    case = Case(load_bundled("resnet20-cifar10"), sample_photographs()["Cat"], 0)
    attribute(case, Asked("integrated-gradients"), lambda fraction, note="", partial=None: reports.append(partial))
    assert any(partial is not None and partial.values.shape == (32, 32) for partial in reports)


@pytest.mark.parametrize("name", ["resnet20-cifar10", "resnet18-imagenette"])
def test_two_paths_add_up_and_the_filmstrip_has_a_map_for_each_block(name: str) -> None:
    classifier, cat = load_bundled(name), sample_photographs()["Cat"]
    case = Case(classifier, cat, 3)
    for block in classifier.spec.block_names():
        paths = two_paths(case, block)
        assert paths.error < 1e-4
        assert np.abs(paths.identity).sum() > 0
        assert np.abs(paths.branch).sum() > 0
    strip = grad_cam_by_block(case)
    assert [each.layer for each in strip] == list(classifier.spec.block_names())
    assert strip[-1].values == pytest.approx(attribute(case, Asked("grad-cam")).values, abs=1e-5)


@pytest.mark.parametrize("block", Block)
def test_two_paths_add_up_in_every_kind_of_block(block: Block) -> None:
    spec = NetSpec(block=block, blocks=(2, 1), width=8, shortcut=Shortcut.B)
    for name in spec.block_names():
        assert two_paths(Case(classifier_of(spec), sample_photographs()["Cat"], 3), name).error < 1e-3
    cut = classifier_of(replace(spec, cut=frozenset({"layer1.1"})))
    with pytest.raises(ValueError, match="choose another block"):
        two_paths(Case(cut, sample_photographs()["Cat"], 3), "layer1.1")


def test_a_cut_skip_changes_the_map_and_not_the_shared_network() -> None:
    classifier, cat = load_bundled("resnet18-imagenette"), sample_photographs()["Cat"]
    case, asked, block = Case(classifier, cat, 3), Asked("saliency"), frozenset({"layer1.1"})
    before = attribute(case, asked).values
    cut = attribute(case, asked, spec=replace(classifier.spec, cut=block)).values
    dropped = attribute(case, asked, spec=replace(classifier.spec, dropped=block)).values
    assert np.abs(cut - before).max() > 0
    assert np.abs(cut - dropped).max() > 0
    assert attribute(case, asked).values == pytest.approx(before, rel=1e-3, abs=1e-6)


def test_faithfulness_knows_a_map_that_ignores_the_weights_from_one_that_does_not() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    state = {name: value.clone() for name, value in classifier.net.state_dict().items()}
    judged = {}
    for method in ("integrated-gradients", "layer-activation", "guided-backprop"):
        case, asked = Case(classifier, cat, 3), Asked(method)
        judged[method] = faithfulness(case, asked, attribute(case, asked))
        assert judged[method].stages == ("fc", "layer3", "layer2", "layer1", "conv1")
        assert 0 <= judged[method].deletion_auc <= 1
        assert judged[method].infidelity >= 0
        assert judged[method].deletion[0] == pytest.approx(judged[method].insertion[-1], abs=1e-3)  # the whole picture
    assert judged["layer-activation"].similarity[0] == pytest.approx(1)  # it does not know the classifier layer
    assert judged["integrated-gradients"].similarity[-1] < 0.9
    after = predict(classifier, cat).probabilities
    assert all(torch.equal(value, state[name]) for name, value in classifier.net.state_dict().items())
    assert predict(load_bundled("resnet20-cifar10"), cat).probabilities == pytest.approx(after, abs=1e-6)
    assert predict(classifier, cat, classifier.fast_view()).probabilities == pytest.approx(after, abs=1e-4)


def test_faithful_evidence_is_deleted_first() -> None:
    """A map that orders pixels by what they truly add has the lower deletion curve than its opposite."""
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    case, asked = Case(classifier, cat, 3), Asked("integrated-gradients")
    attribution = attribute(case, asked)
    opposite = replace(attribution, values=-np.asarray(attribution.values))
    right, wrong = (faithfulness(case, asked, each) for each in (attribution, opposite))
    assert right.deletion_auc < wrong.deletion_auc
    assert right.insertion_auc > wrong.insertion_auc


def test_a_cancelled_measurement_leaves_nothing_behind() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    case, asked, heard = Case(classifier, cat, 3), Asked("saliency"), []
    attribution = attribute(case, asked)

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        heard.append(fraction)
        if fraction > 0.5:
            raise Cancelled
        return False

    with pytest.raises(Cancelled):
        faithfulness(case, asked, attribution, tick)
    assert heard == sorted(heard)
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in classifier.net.modules())


@pytest.mark.parametrize(("method", "of"), [(m, None) for m in METHODS] + [("smoothgrad", of) for of in TUNNELLED[1:]])
@pytest.mark.parametrize("against", [None, 5])
def test_the_snippet_runs_and_equals(
    method: str, of: str | None, against: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sample_photographs()["Cat"].save("photograph.png")
    values: dict[str, str | float] = {"of": of} if of else {}
    values |= {"samples": 20} if "samples" in METHODS[method].parameters else {}
    asked = Asked(method, "layer2.1" if METHODS[method].layer else None, values)
    case = Case(load_bundled("resnet20-cifar10"), sample_photographs()["Cat"], 3, against)
    ours = attribute(case, asked).values
    code = snippet("from resviz.zoo.bundled import load_bundled\nclassifier = load_bundled('resnet20-cifar10')", case, asked)
    scope: dict[str, object] = {}
    exec(code, scope)
    theirs = np.asarray(scope["values"], np.float64)
    assert np.linalg.norm(ours - theirs) <= 2e-3 * np.linalg.norm(theirs)
