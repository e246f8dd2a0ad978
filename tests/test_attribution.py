"""Every method against arithmetic, and what it must leave alone."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from resviz.attribution.batch_size import Pace, pace_of
from resviz.attribution.faithfulness import faithfulness
from resviz.attribution.method import BASELINES, Score, baseline
from resviz.attribution.methods.gradient import TUNNELLED
from resviz.attribution.methods.perturbation import superpixels
from resviz.attribution.methods.relevance import RULES
from resviz.attribution.methods.snippet import snippet
from resviz.attribution.methods.table import METHODS, available
from resviz.attribution.paths import grad_cam_by_block, two_paths
from resviz.attribution.question import attribute, default_options
from resviz.data.uploads import sample_photographs
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.inference.fused import near
from resviz.spec.net import Activation, Block, NetSpec, Norm, Shortcut, Stem
from resviz.spec.presets import PRESETS
from resviz.ui.jobs import Cancelled
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


def found(method: str, net: Linear, x: Tensor, **options: object) -> np.ndarray:
    merged = default_options(method, SIDE) | {"layer": "layer"} | options
    return METHODS[method].run(Score(net, 1), x, merged).values


def flat(x: Tensor) -> np.ndarray:
    return x.sum(1)[0].double().numpy()


@pytest.mark.parametrize("method", ["integrated-gradients", "input-x-gradient", "deeplift", "gradient-shap", "deeplift-shap"])
def test_a_linear_score_is_shared_out_exactly(method: str) -> None:
    net, x, weights = linear()
    options = {"noise": 0.0} if method == "gradient-shap" else {}
    merged = default_options(method, SIDE) | options
    result = METHODS[method].run(Score(net, 1), x, merged)
    if method in ("integrated-gradients", "input-x-gradient", "deeplift"):
        assert result.values == pytest.approx(flat(weights * x), abs=1e-4)
    elif method == "deeplift-shap":
        bases = torch.cat([baseline(x, kind) for kind in ("mean", "black", "blur")]).mean(0, keepdim=True)
        assert result.values == pytest.approx(flat(weights * (x - bases)), abs=1e-4)
    if result.delta is not None and method != "gradient-shap":
        assert abs(result.delta) < 1e-3
    if method == "gradient-shap":  # its baselines are drawn at random, so each pixel lies between two of them
        every = torch.stack([flat_tensor(weights * (x - baseline(x, kind))) for kind in ("mean", "black", "blur")])
        assert (result.values >= every.amin(0).numpy() - 1e-3 - every.std().item()).all()


def flat_tensor(x: Tensor) -> Tensor:
    return x.sum(1)[0].double()


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


def test_one_class_rather_than_another_is_the_difference() -> None:
    net, x, _ = linear()
    merged = default_options("input-x-gradient", SIDE)
    both = [METHODS["input-x-gradient"].run(Score(net, target), x, merged).values for target in (0, 1)]
    rather = METHODS["input-x-gradient"].run(Score(net, 1, against=0), x, merged).values
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


FAST = {"samples": 20, "steps": 10, "superpixels": 12}


def few(method: str) -> dict[str, object]:
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
            options = few(method) | ({"window": side // 4} if method == "occlusion" else {})
            result = attribute(classifier, image, method, 3, options)
            assert result.values.shape == (side, side)
            assert np.isfinite(result.values).all()
            assert (result.layer is not None) == METHODS[method].layer
        assert state(classifier) == before


@pytest.mark.parametrize("method", METHODS)
def test_cancelling_and_failing_leave_the_shared_network_alone(method: str) -> None:
    classifier = load_bundled("resnet20-cifar10")
    before = state(classifier)

    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        attribute(classifier, sample_photographs()["Cat"], method, 0, few(method), stop)
    assert state(classifier) == before


def test_two_sessions_at_once_get_the_maps_they_would_get_alone() -> None:
    classifier, photographs = load_bundled("resnet20-cifar10"), sample_photographs()
    wanted = [("deeplift", "Cat"), ("guided-backprop", "Coffee"), ("integrated-gradients", "Cat"), ("grad-cam", "Coffee")]
    alone = [attribute(classifier, photographs[name], method, 1).values for method, name in wanted]
    together: dict[int, np.ndarray] = {}

    def explain(i: int) -> None:
        method, name = wanted[i]
        for _ in range(3):
            together[i] = attribute(classifier, photographs[name], method, 1).values

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


@pytest.mark.parametrize("block", [Block.BASIC, Block.BOTTLENECK])
@pytest.mark.parametrize("side", [128, 132, 130])
@pytest.mark.parametrize("width", [1, 9])
def test_what_is_computed_near_a_change_only_is_the_whole(block: Block, side: int, width: int) -> None:
    classifier = classifier_of(NetSpec(block=block, blocks=(1, 1), width=8, stem=Stem.IMAGENET, shortcut=Shortcut.B))
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


@pytest.mark.parametrize("block", [Block.BASIC, Block.BOTTLENECK])
@pytest.mark.parametrize("shortcut", [Shortcut.A, Shortcut.B])
def test_relevance_is_conserved_where_a_skip_is_added(block: Block, shortcut: Shortcut) -> None:
    """Without biases the epsilon rule is input × gradient and hands on the whole score, the others nearly."""
    net = bias_free(NetSpec(block=block, blocks=(2, 2), width=8, norm=Norm.NONE, shortcut=shortcut))
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    for against in (None, 5):
        score = Score(net, 3, against)
        exact = found_by("input-x-gradient", score, x)
        epsilon = METHODS["lrp"].run(score, x, {"rule": "epsilon"})
        assert np.linalg.norm(epsilon.values - exact) <= 5e-3 * np.linalg.norm(exact)
        assert abs(epsilon.delta) <= 1e-3 * abs(epsilon.change)
    if block is Block.BASIC:  # a bottleneck's 1×1s have units that negative weights alone reach; there the other rules lose some
        for rule in RULES:
            whole = METHODS["lrp"].run(Score(net, 3), x, {"rule": rule})
            assert abs(whole.delta) <= 0.01 * abs(whole.change)


def found_by(method: str, score: Score, x: Tensor) -> np.ndarray:
    return METHODS[method].run(score, x, default_options(method, x.shape[-1])).values


@pytest.mark.parametrize("of", TUNNELLED)
def test_a_noise_tunnel_averages_any_gradient_method(of: str) -> None:
    net, x, weights = linear()
    noisy = found("smoothgrad", net, x, of=of, noise=0.01, samples=40)
    alone = flat(weights) if of == "saliency" else found(of, net, x)
    assert np.linalg.norm(noisy - alone) <= 0.02 * np.linalg.norm(alone)


def test_a_network_without_relus_offers_what_fits() -> None:
    classifier = classifier_of(NetSpec(blocks=(1, 1), width=4, activation=Activation.GELU))
    assert set(METHODS) - set(available(classifier.spec)) == {"guided-backprop", "deconvolution", "guided-grad-cam", "lrp"}
    with pytest.raises(ValueError, match="needs ReLUs"):
        attribute(classifier, sample_photographs()["Cat"], "guided-backprop", 0)
    with pytest.raises(ValueError, match="Guided Backprop needs ReLUs"):
        attribute(classifier, sample_photographs()["Cat"], "smoothgrad", 0, {"of": "guided-backprop"})


def test_wrong_options_name_the_value_and_the_remedy() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    for options, message in (({"steps": 5000}, "from 10 to 300"), ({"baseline": "white"}, "one of mean")):
        with pytest.raises(ValueError, match=message):
            attribute(classifier, cat, "integrated-gradients", 0, options)


def test_the_pace_takes_what_was_fastest_and_asks_its_neighbours_first() -> None:
    pace = Pace(largest=10, first=3)
    assert pace.sizes == (1, 2, 4, 8)
    took = {1: 1.0, 2: 1.2, 4: 2.0, 8: 9.0}
    asked = []
    for _ in range(6):
        asked.append(pace.size)
        pace.heard(pace.size, took[pace.size])
    assert asked == [2, 4, 8, 4, 4, 4]
    assert pace.seconds == 0.5
    assert pace.share(25) == 4
    assert pace.share(5) == 3
    assert pace.share(2) == 2


def test_the_pace_forgets_a_busy_moment() -> None:
    pace = Pace(largest=8, first=2)
    for size, seconds in ((2, 9.0), (4, 40.0), (1, 3.0)):  # others computed too
        pace.heard(size, seconds)
    for _ in range(100):
        size = pace.size
        pace.heard(size, {1: 1.0, 2: 1.2, 4: 2.0, 8: 9.0}[size])
    assert pace.size == 4


def test_the_pace_stays_within_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESVIZ_MEMORY_GB", "2")
    spec = PRESETS["resnet50"]
    pace = pace_of(replace(spec, seed=123456 % 1000), 208, True)
    table = layer_table(spec, 208)
    each = sum(row.memory for row in table.rows if not row.kind.endswith("norm"))
    assert 4 * table.params + each * pace.sizes[-1] <= 2**31 / 10
    assert 4 * table.params + each * 2 * pace.sizes[-1] > 2**31 / 10


def test_integrated_gradients_shows_coarse_maps_that_become_the_whole() -> None:
    net, x, _ = linear()
    shown: list[np.ndarray] = []
    whole = found("integrated-gradients", net, x, show=shown.append)
    assert shown
    for values in shown:  # a linear score has the same gradient everywhere on the path
        assert values == pytest.approx(whole, abs=1e-4)
    reports = []
    attribute(load_bundled("resnet20-cifar10"), sample_photographs()["Cat"], "integrated-gradients", 0,
              tick=lambda fraction, note="", partial=None: reports.append(partial))  # fmt: skip
    assert any(partial is not None and partial.values.shape == (32, 32) for partial in reports)


@pytest.mark.parametrize("name", ["resnet20-cifar10", "resnet18-imagenette"])
def test_two_paths_add_up_and_the_filmstrip_has_a_map_for_each_block(name: str) -> None:
    classifier, cat = load_bundled(name), sample_photographs()["Cat"]
    for block in classifier.spec.block_names():
        paths = two_paths(classifier, cat, 3, block)
        assert paths.error < 1e-4
        assert np.abs(paths.identity).sum() > 0
        assert np.abs(paths.branch).sum() > 0
    strip = grad_cam_by_block(classifier, cat, 3)
    assert [each.layer for each in strip] == list(classifier.spec.block_names())
    assert strip[-1].values == pytest.approx(attribute(classifier, cat, "grad-cam", 3).values, abs=1e-5)


@pytest.mark.parametrize("block", Block)
def test_two_paths_add_up_in_every_kind_of_block(block: Block) -> None:
    spec = NetSpec(block=block, blocks=(2, 1), width=8, shortcut=Shortcut.B)
    for name in spec.block_names():
        assert two_paths(classifier_of(spec), sample_photographs()["Cat"], 3, name).error < 1e-3
    with pytest.raises(ValueError, match="choose another block"):
        two_paths(classifier_of(replace(spec, cut=frozenset({"layer1.1"}))), sample_photographs()["Cat"], 3, "layer1.1")


def test_a_cut_skip_changes_the_map_and_not_the_shared_network() -> None:
    classifier, cat = load_bundled("resnet18-imagenette"), sample_photographs()["Cat"]
    before = attribute(classifier, cat, "saliency", 3).values
    cut = attribute(classifier, cat, "saliency", 3, spec=replace(classifier.spec, cut=frozenset({"layer1.1"}))).values
    dropped = attribute(classifier, cat, "saliency", 3, spec=replace(classifier.spec, dropped=frozenset({"layer1.1"}))).values
    assert np.abs(cut - before).max() > 0
    assert np.abs(cut - dropped).max() > 0
    assert attribute(classifier, cat, "saliency", 3).values == pytest.approx(before, rel=1e-3, abs=1e-6)


def test_faithfulness_knows_a_map_that_ignores_the_weights_from_one_that_does_not() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    state = {name: value.clone() for name, value in classifier.net.state_dict().items()}
    judged = {}
    for method in ("integrated-gradients", "layer-activation", "guided-backprop"):
        found = attribute(classifier, cat, method, 3)
        judged[method] = faithfulness(classifier, cat, found)
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
    found = attribute(classifier, cat, "integrated-gradients", 3)
    opposite = replace(found, values=-np.asarray(found.values))
    right, wrong = (faithfulness(classifier, cat, each) for each in (found, opposite))
    assert right.deletion_auc < wrong.deletion_auc
    assert right.insertion_auc > wrong.insertion_auc


def test_a_cancelled_measurement_leaves_nothing_behind() -> None:
    classifier, cat = load_bundled("resnet20-cifar10"), sample_photographs()["Cat"]
    found, heard = attribute(classifier, cat, "saliency", 3), []

    def tick(fraction: float, note: str = "", partial: object = None) -> None:
        heard.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        faithfulness(classifier, cat, found, tick=tick)
    assert heard == sorted(heard)
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in classifier.net.modules())


@pytest.mark.parametrize(("method", "of"), [(m, None) for m in METHODS] + [("smoothgrad", of) for of in TUNNELLED[1:]])
@pytest.mark.parametrize("against", [None, 5])
def test_the_snippet_runs_and_equals(
    method: str, of: str | None, against: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sample_photographs()["Cat"].save("photograph.png")
    options = default_options(method, 32) | ({"layer": "layer2.1"} if METHODS[method].layer else {}) | ({"of": of} if of else {})
    options |= {"samples": 20} if "samples" in options else {}
    classifier = load_bundled("resnet20-cifar10")
    ours = attribute(classifier, sample_photographs()["Cat"], method, 3, options, against=against).values
    code = snippet(
        "from resviz.zoo.bundled import load_bundled\nclassifier = load_bundled('resnet20-cifar10')", method, 3, options, against
    )
    scope: dict[str, object] = {}
    exec(code, scope)
    theirs = np.asarray(scope["values"], np.float64)
    assert np.linalg.norm(ours - theirs) <= 2e-3 * np.linalg.norm(theirs)
