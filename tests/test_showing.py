"""Any network in a notebook: blocks found by tracing beside the layer tables, gradients beside a plain backward pass, and nothing left behind."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18
from torchvision.models.densenet import DenseNet
from torchvision.models.swin_transformer import SwinTransformer

import resviz
from resviz.attribution.question import attribute
from resviz.data.datasets import probed
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.probes.gradients import gradient_probe
from resviz.showing.show import show
from resviz.showing.table import table_of
from resviz.showing.trace import trace
from resviz.spec.families import ALL_PRESETS, side_of
from resviz.watching.watch import watch


class Decides(nn.Module):
    """Python looks at values: nobody can trace it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x) + x if x.sum() > -1e9 else x)


class Loops(Decides):
    """As many blocks as the batch has rows, which Python must know."""

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(len(list(x.shape)) + x.shape[0]):
            x = x + torch.relu(self.first(x))
        return self.last(x)


class Keeps(nn.Module):
    """Keeps something of every pass, in each way that there is; one that also decides on values cannot be traced by `torch.fx`."""

    def __init__(self, decides: bool) -> None:
        super().__init__()
        self.first, self.decides = nn.Linear(6, 4), decides
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))
        self.log: list[object] = []
        self.kept: dict[str, object] = {}
        self.count, self.plain = 0, torch.zeros(4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        self.mean = 0.9 * self.mean + 0.1 * y.detach().mean(0)
        self.passes += 1
        self.count += 1
        self.plain.add_(1)
        self.feature = y
        self.log.append(y)
        self.kept["last"] = y
        return y - self.mean if not self.decides or x.sum() > -1e9 else y


def test_names_of_the_package_are_what_pages_use() -> None:
    assert (resviz.build, resviz.summary, resviz.gradient_probe) == (build, layer_table, gradient_probe)
    assert (resviz.attribute, resviz.show, resviz.watch) == (attribute, show, watch)
    assert resviz.PRESETS is ALL_PRESETS
    assert all(hasattr(resviz, name) and name in dir(resviz) for name in resviz.__all__)
    with pytest.raises(AttributeError, match="'resviz' has no attribute 'nothing'"):
        _ = resviz.nothing


def test_the_package_alone_asks_for_neither_pytorch_nor_streamlit() -> None:
    code = "import resviz, sys; resviz.NetSpec(); print(sorted({'torch', 'streamlit', 'plotly', 'numpy'} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["resnet20", "plain20", "resnet50", "densenet40_k12", "unet_small", "vit_digits"])
def test_a_traced_network_has_its_own_layer_tables_totals_and_blocks(name: str) -> None:
    spec = ALL_PRESETS[name]
    net, side = build(spec), side_of(spec, 32, 64)
    found, _ = table_of(net, trace(net, probed(spec, 2, side)[0]))
    known = layer_table(spec, side)
    assert (found.params, found.macs) == (known.params, known.macs)
    joined = [(unit.beside, unit.carries) for unit in known.units if unit.join]
    if name != "unet_small":  # whose short skips go around what a long one begins in
        assert [(unit.beside, unit.carries) for unit in found.units] == joined


def test_torchvisions_resnet_is_found_block_by_block() -> None:
    net = resnet18()
    found, loose = table_of(net, trace(net, torch.zeros(1, 3, 64, 64)))
    known = layer_table(ALL_PRESETS["resnet18"], 64)
    assert loose == 0
    assert [(u.name, u.stage, u.carries, len(u.branch), len(u.skip)) for u in found.units] == [
        (u.name, u.stage, u.carries, len(u.branch), len(u.skip)) for u in known.units
    ]
    assert {row.name: row.out_shape for row in found.rows if row.params} == {
        row.name: row.out_shape for row in known.rows if row.params
    }


def test_each_dense_layer_is_a_block_that_puts_its_channels_beside_the_others() -> None:
    net = DenseNet(growth_rate=4, block_config=(3, 2), num_init_features=8, num_classes=10)
    found, loose = table_of(net, trace(net, torch.zeros(1, 3, 32, 32)))
    assert ([unit.stage for unit in found.units], loose) == (["denseblock1"] * 3 + ["denseblock2"] * 2, 0)
    assert [unit.join.out_shape[0] for unit in found.units if unit.join] == [12, 16, 20, 14, 18]


class Shared(nn.Module):
    """One layer called twice, a weight that two share, and an addition that is a module."""

    class Sum(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return a + b

    def __init__(self) -> None:
        super().__init__()
        self.first, self.other, self.sum = nn.Linear(6, 6), nn.Linear(6, 6, bias=False), Shared.Sum()
        self.other.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.sum(self.first(self.first(x)), self.other(x))


def test_shared_weights_are_counted_once_and_an_addition_is_one_wherever_it_stands() -> None:
    shown = show(Shared(), torch.ones(3, 6))
    assert (shown.table.params, shown.table.macs) == (42, 3 * 36)
    assert [len(unit.branch) + len(unit.skip) for unit in shown.table.units] == [3]


def test_what_torch_fx_cannot_follow_is_exported_and_what_nobody_can_is_one_box() -> None:
    loops = show(Loops(), torch.ones(2, 6))
    assert len(loops.table.units) == 4
    assert "traced by torch.export" in " ".join(loops.notes)
    assert loops.table.params == 63
    box = show(Decides(), torch.ones(2, 6))
    assert "Decides cannot be traced" in box.notes[1]
    assert "drawn as one box" in box.notes[1]
    assert "63 parameters" in box.svg
    assert box.profile is not None
    assert box.profile.names == ("first", "last")


def test_a_models_gradient_is_that_of_a_plain_backward_pass() -> None:
    torch.manual_seed(0)
    net = resnet18(num_classes=5)
    x, y = torch.randn(3, 3, 32, 32), torch.tensor([0, 4, 2])
    plain = copy.deepcopy(net)
    loss = nn.functional.cross_entropy(plain(x), y)
    loss.backward()
    found = show(net, x, y)
    assert found.profile is not None
    assert found.profile.loss == pytest.approx(loss.item(), rel=1e-5)
    expected = {name: plain.get_submodule(name).weight.grad.norm().item() for name in found.profile.names}
    assert dict(zip(found.profile.names, found.profile.norms, strict=True)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("bad", [False, True])
def test_a_model_is_left_as_it_was_even_after_an_error(bad: bool) -> None:
    net = resnet18(num_classes=5).train()
    net.fc.requires_grad_(False)
    before, mode = copy.deepcopy(net.state_dict()), [m.training for m in net.modules()]
    torch.manual_seed(3)
    x = torch.rand(2, 3, 32, 32)
    drawn = torch.get_rng_state()
    if bad:
        with pytest.raises(ValueError, match=r"ResNet does not take a batch of shape \(2, 4, 32, 32\)"):
            show(net, torch.zeros(2, 4, 32, 32))
    else:
        show(net, x)
    assert all(torch.equal(old, new) for old, new in zip(before.values(), net.state_dict().values(), strict=True))
    assert mode == [m.training for m in net.modules()]
    assert [each.requires_grad for each in net.fc.parameters()] == [False, False]
    assert all(each.grad is None for each in net.parameters())
    assert not [m for m in net.modules() if m._forward_hooks or m._forward_pre_hooks or m._backward_hooks]
    assert torch.equal(drawn, torch.get_rng_state())


@pytest.mark.parametrize("decides", [False, True])
@pytest.mark.parametrize("side", [6, 5])
def test_what_a_model_keeps_of_a_pass_is_not_kept_of_ours(decides: bool, side: int) -> None:
    net = Keeps(decides)
    net(torch.ones(2, 6))
    own, kept, logged = dict(vars(net)), dict(net.kept), list(net.log)
    numbers = copy.deepcopy([net.mean, net.passes, net.plain])
    if side == 6:
        show(net, torch.rand(3, 6))
    else:
        with pytest.raises(ValueError, match="does not take a batch"):
            show(net, torch.rand(3, side))
    assert vars(net).keys() == own.keys()
    assert all(vars(net)[name] is own[name] for name in own)
    assert net.count == 1
    assert net.feature is logged[0] is net.kept["last"]
    assert (len(net.log), net.kept) == (1, kept)
    assert all(torch.equal(one, other) for one, other in zip(numbers, [net.mean, net.passes, net.plain], strict=True))


def test_a_notebook_is_handed_html_that_needs_nothing_else(tmp_path: Path) -> None:
    spec = resviz.NetSpec(blocks=(1, 1), width=8)
    shown = show(spec)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert list(shown._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    assert not re.search(r"(src|href)=\"(?!data:)|<script|url\(", bundle["text/html"])
    assert [title.split(",")[0] for title, _ in shown.maps] == ["Saliency", "Grad-CAM at layer2.0"]
    expected = gradient_probe(build(spec).train(), *probed(spec, 64, 8)).profile
    assert shown.profile is not None
    assert shown.profile.norms.tolist() == pytest.approx(expected.norms.tolist(), rel=1e-5)
    assert str(layer_table(spec, 32)) in bundle["text/plain"]
    assert shown.save(tmp_path / "it.html").read_text(encoding="utf-8").endswith(shown.html)
    assert shown.save(tmp_path / "it.svg").read_text(encoding="utf-8") == shown.svg
    with pytest.raises(ValueError, match=r"it\.png ends neither in \.html nor in \.svg"):
        shown.save(tmp_path / "it.png")


class Elsewhere(Decides):
    """Its first layer is called for other batches than this one."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(x) if x.sum() > -1e9 else self.last(self.first(x))


def test_a_layer_that_takes_no_part_is_said_to_and_not_judged() -> None:
    shown = show(Elsewhere(), torch.ones(2, 6))
    assert shown.profile is not None
    assert shown.profile.names == ("last",)
    assert "1 layer took no part in this answer, so without a gradient: `first`." in shown.notes[0]
    assert "vanish" not in shown.notes[0]


class Twice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.LSTM(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)[0]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Twice(), "0 parameters"),
        (nn.Sequential(), "0 parameters"),
        (nn.LSTM(6, 4), "192 parameters"),
        (Recurrent(), "LSTM"),
        (nn.Sequential(nn.ReLU()), "relu"),
    ],
)
def test_a_model_without_weights_or_without_a_layer_that_is_known_is_drawn_too(model: nn.Module, words: str) -> None:
    shown = show(model, torch.ones(3, 2, 6))
    assert words in shown.svg + str(shown.table)
    assert shown.html


def test_tokens_that_lie_in_rows_and_columns_are_no_channels() -> None:
    net = SwinTransformer([4, 4], 12, [1, 1], [1, 1], [4, 4], num_classes=5)
    shown = show(net, torch.rand(2, 3, 32, 32))
    assert {unit.carries for unit in shown.table.units} == {"identity"}
    assert [title.split(",")[0] for title, _ in shown.maps] == ["Saliency"]


def test_what_is_no_batch_and_what_the_model_itself_says_is_told() -> None:
    net = nn.Linear(6, 3)
    with pytest.raises(ValueError, match=r"a batch is one tensor of shape \(N, …\), and not a tuple"):
        show(net, (torch.ones(2, 6), torch.ones(2)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"RuntimeError: mat1 and mat2 shapes cannot be multiplied \(2x5 and 6x3\)"):
        show(net, torch.ones(2, 5))
    with pytest.raises(ValueError, match=r"a str is no network; give a spec, such as resviz\.PRESETS\['resnet20'\]"):
        show("resnet20")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.LazyLinear(2)), None),
        (nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)), (2,)),
        (nn.Sequential(nn.Embedding(9, 6), nn.Flatten(), nn.Linear(96, 3)), (3,)),
    ],
)
def test_what_a_model_reads_is_told_by_its_first_layer(model: nn.Module, shape: tuple[int, ...] | None) -> None:
    if shape is None:
        with pytest.raises(ValueError, match=r"2\.weight has no shape before its first batch"):
            show(model)
    else:
        assert show(model).table.rows[-1].out_shape == shape
    with pytest.raises(
        ValueError, match=r"GRU begins with GRU, which does not tell what it reads; give a batch: show\(model, batch\)"
    ):
        show(nn.GRU(3, 4))
