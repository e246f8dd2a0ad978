"""A loop of anybody's, watched: names, norms, updates and activations beside plain computations; bounded, and gone when it is over."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet50

import resviz
from resviz.results import Recording
from resviz.watching.files import open_recording, recording_parquet
from resviz.watching.watch import Watch


class Tied(nn.Module):
    """A layer that is used twice, a weight that two layers share, one that is frozen and one that is no part of the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.again = self.first
        self.inner = nn.Sequential(nn.ReLU(), nn.Linear(6, 6))
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.unused = nn.Linear(3, 3)
        self.head = nn.Linear(6, 6, bias=False)
        self.head.weight = self.inner[1].weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.frozen(self.inner(self.again(self.first(x)))))


def transformer() -> nn.Module:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).train()


def small(bias: float = 0.0) -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    nn.init.constant_(net[0].bias, bias)
    return net


def trained(net: nn.Module, x: Tensor, steps: int = 1, lr: float = 0.1, **more: object) -> Iterator[tuple[Watch, Tensor]]:
    """The three lines in a plain loop; yields after each step, while the gradients are there."""
    optimizer = torch.optim.SGD(net.parameters(), lr, momentum=0.9)
    watch = resviz.watch(net, **more)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = net(x).float().square().mean()
        loss.backward()
        optimizer.step()
        watch.step(loss)
        yield watch, loss
    watch.close()


def after(net: nn.Module, **more: int) -> Watch:
    """The watch of a whole training."""
    return [watch for watch, _ in trained(net, torch.rand(4, 6), **more)][-1]


def hooks(net: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks) for module in net.modules()
    )


def row(recording: Recording, quantity: str, step: int = -1) -> dict[str, float]:
    table = recording.tables[quantity]
    return dict(zip(table.names, table.values[step].tolist(), strict=True))


def plain_norms(net: nn.Module) -> dict[str, float]:
    """Of each module's own parameters together, straight from what the optimizer saw."""
    found = {}
    for name, module in net.named_modules():
        grads = [p.grad for p in module.parameters(recurse=False) if p.grad is not None]
        if grads:
            found[name] = float(torch.cat([grad.flatten() for grad in grads]).double().norm())
    return found


def nets() -> dict[str, tuple[nn.Module, Tensor]]:
    torch.manual_seed(0)
    return {"resnet50": (resnet50().train(), torch.rand(2, 3, 32, 32)), "transformer": (transformer(), torch.rand(2, 5, 16))}


@pytest.mark.parametrize("name", ["resnet50", "transformer"])
def test_names_and_norms_are_those_of_the_parameters(name: str) -> None:
    net, x = nets()[name]
    before = {key: p.detach().clone() for key, p in net.named_parameters()}
    for watch, _ in trained(net, x):
        recording = watch.record()
    norms = plain_norms(net)
    assert row(recording, "gradient") == pytest.approx(norms, rel=1e-4)
    assert recording.card["parameters"] == sum(p.numel() for p in net.parameters())
    moved = {}
    for each, module in net.named_modules():
        own = [(before[f"{each}.{key}"], p.detach()) for key, p in module.named_parameters(recurse=False)]
        if own:
            old, new = (torch.cat([pair[i].flatten() for pair in own]).double() for i in (0, 1))
            moved[each] = float((new - old).norm() / new.norm())
    assert row(recording, "update") == pytest.approx(moved, rel=1e-3, abs=1e-12)


def test_layers_are_told_in_the_order_in_which_they_are_called_and_activations_are_theirs() -> None:
    net, x = nets()["resnet50"]
    seen: dict[str, Tensor] = {}

    def kept(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _read: object, out: Tensor) -> None:
            seen[name] = out.detach().clone()

        return hook

    handles = [
        module.register_forward_hook(kept(name)) for name, module in net.named_modules() if list(module.parameters(recurse=False))
    ]
    for watch, _ in trained(net, x):
        recording = watch.record()
    for handle in handles:
        handle.remove()
    assert recording.tables["gradient"].names == tuple(seen)
    assert row(recording, "std") == pytest.approx(
        {name: float(out.double().std(correction=0)) for name, out in seen.items()}, rel=1e-3
    )
    assert "fc" not in recording.judged
    assert {"conv1", "layer4.2.conv3"} < recording.judged
    assert "bn1" not in recording.judged


@pytest.mark.parametrize("bias", [0.0, 1e3, 1e4, -3e5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_activations_far_from_zero_and_of_any_precision_keep_their_digits(dtype: torch.dtype, bias: float) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(64, 64)
    nn.init.constant_(layer.bias, bias)
    net, pieces = nn.Sequential(layer).to(dtype), torch.randn(2, 32, 64).to(dtype)
    watch, seen = resviz.watch(net), []
    for piece in pieces:  # two calls, as of a batch in pieces
        seen.append(net(piece))
        seen[-1].float().sum().backward()
    watch.step()
    std = float(torch.cat(seen).double().std(correction=0))
    assert row(watch.record(), "std")["0"] == pytest.approx(std, rel=2e-3)


def test_shared_frozen_and_unused_parameters() -> None:
    net = Tied()
    for watch, _ in trained(net, torch.rand(4, 6), every=1):
        recording, said = watch.record(), " ".join(watch.findings())
    assert recording.tables["gradient"].names == ("first", "inner.1", "frozen", "unused")  # the head is the inner layer's weight
    gradients = row(recording, "gradient")
    assert gradients["first"] == pytest.approx(plain_norms(net)["first"], rel=1e-5)
    assert np.isnan([gradients["frozen"], gradients["unused"]]).all()
    assert set(recording.card["unused"]) == {"frozen", "unused"}
    assert "`frozen` and `unused` never have a gradient" in said
    with torch.no_grad():
        x = torch.rand(4, 6)
        twice = torch.stack([net.first(x), net.first(net.first(x))])
    again = resviz.watch(net)
    net(x).sum().backward()
    again.step()
    assert row(again.record(), "std")["first"] == pytest.approx(float(twice.std(correction=0)), rel=1e-4)


def test_memory_is_the_same_after_thousands_of_steps_and_the_first_and_last_stay() -> None:
    net = nn.Linear(4, 1)
    watch = resviz.watch(net, every=1, activations=False, updates=False)
    net.weight.grad, net.bias.grad = torch.ones(1, 4), torch.zeros(1)
    watch.step(1.0)
    taken = watch.nbytes
    for step in range(2, 5001):
        watch.step(1 / step)
    recording = watch.record()
    steps = recording.tables["gradient"].steps
    assert watch.nbytes == taken
    assert len(steps) <= 576
    assert (steps[0], steps[-1]) == (1, 5000)
    assert np.diff(steps)[-60:].tolist() == [1] * 60
    assert len(recording.losses) <= 2048 + 64


def test_hooks_are_there_for_a_step_that_is_looked_at_alone_and_gone_afterwards() -> None:
    net, x = small(), torch.rand(4, 6)
    for n, (watch, _) in enumerate(trained(net, x, steps=11, every=10), 1):
        assert watch.step_number == n
        assert bool(hooks(net)) == (n == 9)  # the tenth is next
        if n == 9:
            copied = copy.deepcopy(net)
            torch.save(net, io.BytesIO())
            copied(x)  # with hooks that look at nothing
    assert not hooks(net)
    assert watch.record().places == (1, 10)
    with pytest.raises(IndexError), resviz.watch(net):
        net(torch.rand(4, 7)[9])
    assert not hooks(net)
    with pytest.raises(RuntimeError, match="closed"):
        watch.step()


def test_the_network_learns_what_it_would_have_learned() -> None:
    x, alone, watched = torch.rand(4, 6), small(), small()
    optimizer = torch.optim.SGD(alone.parameters(), 0.1, momentum=0.9)
    for _ in range(5):
        optimizer.zero_grad()
        alone(x).square().mean().backward()
        optimizer.step()
    assert len(list(trained(watched, x, steps=5, every=1))) == 5
    assert all(torch.equal(a, b) for a, b in zip(alone.parameters(), watched.parameters(), strict=True))


def test_the_first_number_that_is_none_is_found() -> None:
    net, x = small(), torch.rand(4, 6)
    for n, (watch, _) in enumerate(trained(net, x, steps=7, every=2), 1):
        if watch.step_number == n == 5:
            with torch.no_grad():
                net[2].weight[0, 0] = float("nan")
    recording, said = watch.record(), watch.findings()
    assert {(each.what, each.step, each.layer) for each in recording.broken} >= {("loss", 6, ""), ("activation", 6, "2")}
    assert "for the first time in step 6" in said[0]
    assert any("What `2` returns is infinite or NaN**, first seen in step 6; in step 4" in each for each in said)


def test_dead_units_and_vanishing_gradients_are_said() -> None:
    torch.manual_seed(0)
    for watch, _ in trained(small(bias=-50.0), torch.rand(8, 6)):
        assert any("**Dead units**: up to 100 % of what `2` and `4` read is 0" in each for each in watch.findings())
        assert row(watch.record(), "dead")["2"] == 1
    deep = nn.Sequential(*(layer for _ in range(9) for layer in (nn.Linear(16, 16), nn.Sigmoid())), nn.Linear(16, 4))
    for watch, _ in trained(deep, torch.rand(8, 16)):
        assert any("vanishes" in each and "`0`" in each for each in watch.findings())
    level = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
    for watch, _ in trained(level, torch.rand(8, 6)):
        assert watch.findings() == ()


def test_gradients_of_a_scaled_loss_are_told_unscaled() -> None:
    net, x = small(), torch.rand(4, 6)
    optimizer, scaler = torch.optim.SGD(net.parameters(), 0.1), torch.amp.GradScaler("cpu", init_scale=1024.0)
    plain = copy.deepcopy(net)
    with torch.autocast("cpu", torch.bfloat16):
        plain(x).float().square().mean().backward()
    watch = resviz.watch(net)
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(x).float().square().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    watch.step(loss)
    scaler.update()
    assert row(watch.record(), "gradient") == pytest.approx(plain_norms(plain), rel=0.02)


def test_wrappers_leave_the_names_alone() -> None:
    net = small()
    assert resviz.watch(nn.DataParallel(net), activations=False)._layers[0].name == "0"
    compiled = resviz.watch(torch.compile(net, backend="eager"))
    assert not hooks(net)  # a compiled network would not call them
    compiled_loss = net(torch.rand(2, 6)).sum()
    compiled_loss.backward()
    compiled.step(compiled_loss)
    recording = compiled.record()
    assert recording.tables["gradient"].names == ("0", "2", "4")
    assert "std" not in recording.tables
    assert "take no hooks" in str(recording.card["notes"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: resviz.watch(nn.ReLU()), "no parameter that learns"),
        (lambda: resviz.watch(small(), every=0), "every=0"),
        (lambda: resviz.watch(small(), every=2.5), "every=2.5 is no number of steps"),  # type: ignore[arg-type]
        (
            lambda: resviz.watch(resviz.NetSpec()),
            r"a NetSpec is no nn.Module; of a spec, watch what resviz.build\(spec\) returns",
        ),  # type: ignore[arg-type]
        (lambda: resviz.watch(nn.LazyLinear(3)), "before its first batch"),
        (lambda: resviz.watch(small()).step(), "before optimizer.zero_grad"),
        (lambda: resviz.watch(small()).step(torch.zeros(3)), r"shape \(3,\)"),
        (lambda: resviz.watch(small()).record(), "before the first"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_a_sentence(wrong: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()


def test_what_is_saved_is_what_is_read(tmp_path: Path) -> None:
    watch = after(Tied(), steps=7, every=3)
    kept = watch.record()
    (read,) = open_recording(watch.save(tmp_path / "run.parquet").read_bytes(), "run.parquet")
    assert read.tables.keys() == kept.tables.keys()
    for name, table in kept.tables.items():
        assert read.tables[name].names == table.names
        assert np.array_equal(read.tables[name].steps, table.steps)
        assert np.array_equal(read.tables[name].values, table.values, equal_nan=True)
    assert np.array_equal(read.losses, kept.losses)
    for field in ("title", "unit", "last", "judged", "guess", "broken", "places"):
        assert getattr(read, field) == getattr(kept, field)
    assert recording_parquet(read)
    assert read.card["model"] == "Tied"
    page = watch.save(tmp_path / "run.html").read_text(encoding="utf-8")
    assert "Tied: what happened while it learned" in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.html", "run.parquet"]
    with pytest.raises(ValueError, match=r"neither in \.parquet nor in \.html; did you mean \.parquet\?"):
        watch.save(tmp_path / "run.parqet")


def test_a_notebook_gets_two_figures_without_a_script() -> None:
    shown = after(small(), steps=3, every=1)._repr_html_()
    assert shown.count("<svg") == 2
    assert "<script" not in shown
    assert "data:image/png;base64," in shown  # the waterfall
    assert len(shown) < 100_000


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import resviz, sys; print('torch' in sys.modules, callable(resviz.watch))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
