"""How a step is computed is chosen on the machine, said on the card, and kept; every special way has a plain one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resviz.cli import main
from resviz.data.datasets import digits_split
from resviz.data.images import digits
from resviz.machine import answers_alike, cores, device, fastest
from resviz.spec.net import NetSpec
from resviz.training.arithmetic import Arithmetic, choose
from resviz.training.export import export
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[1]
TINY = NetSpec(blocks=(1, 1), width=4, in_channels=1)
RECIPE = replace(RECIPES["he2015-cifar"], epochs=2, batch=32)


def run(checkpoint: Path | None = None, **asked: object) -> Training:
    train, test = digits_split()
    return Training(TINY, train.subset(128), test.subset(32), RECIPE, checkpoint, probe_images=8, **asked)  # type: ignore[arg-type]


def seconds_a_step(precision: str) -> float:
    """By the stop-watch, apart from the code that chooses."""
    found = subprocess.run(
        [sys.executable, "-c", f"""
import time, torch
from contextlib import nullcontext
from resviz.nets.build import build
from resviz.spec.net import NetSpec
net = build(NetSpec(blocks=(2, 2), width=32)).train().to(memory_format=torch.channels_last)
x = torch.randn(16, 3, 32, 32).contiguous(memory_format=torch.channels_last)
times = []
for _ in range(4):
    began = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16) if {precision == "bfloat16"} else nullcontext():
        loss = net(x).float().square().mean()
    loss.backward()
    times.append(time.perf_counter() - began)
print(min(times[1:]))
"""], cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    return float(found.stdout)


def test_the_precision_that_is_several_times_slower_here_is_never_chosen() -> None:
    chosen = choose(NetSpec(blocks=(2, 2), width=32), 32, 16)
    times = {precision: seconds_a_step(precision) for precision in ("float32", "bfloat16")}
    assert times[chosen.precision] < 2 * min(times.values()), (chosen, times)


def test_the_choice_says_what_was_measured_and_a_flag_overrides_it() -> None:
    chosen = choose(TINY, 8, 32)
    assert "ms" in chosen.why
    assert chosen.describe().split(",")[0] in chosen.why
    for precision in ("float32", "bfloat16"):
        forced = choose(TINY, 8, 32, precision, 1)
        assert (forced.precision, forced.threads) == (precision, 1)
        assert "as asked for" in forced.why
    with pytest.raises(ValueError, match=r"precision must be one of float32, bfloat16, got 'float8'"):
        choose(TINY, 8, 32, "float8")
    with pytest.raises(ValueError, match="threads must be from 1"):
        choose(TINY, 8, 32, threads=0)


def test_a_processor_of_few_instructions_does_not_even_try_bfloat16() -> None:
    """What oneDNN may use is cut down to AVX2 in a process of its own; the card would say so."""
    code = "from resviz.training.arithmetic import choose; from resviz.spec.net import NetSpec; a = choose(NetSpec(blocks=(1, 1), width=4), 8, 8); print(a.precision, a.why)"  # fmt: skip
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("float32 ")
    assert "bfloat16 was not tried" in found.stdout


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_interrupted_run_keeps_its_arithmetic_and_ends_the_same(tmp_path: Path, precision: str) -> None:
    whole = run(precision=precision, threads=1)
    list(whole)
    path = tmp_path / "run.ckpt"
    for event in run(path, precision=precision, threads=1):
        if getattr(event, "epoch", 0) == 2:
            break
    resumed = run(path)  # without being told again
    assert (resumed.arithmetic.precision, resumed.arithmetic.threads) == (precision, 1)
    list(resumed)
    assert resumed.losses == whole.losses
    assert all(map(torch.equal, resumed.net.state_dict().values(), whole.net.state_dict().values()))
    other = "bfloat16" if precision == "float32" else "float32"
    assert run(path, precision=other).arithmetic.precision == other  # a flag overrides it


def test_the_card_says_what_was_taken_and_why(tmp_path: Path) -> None:
    training = run(precision="float32")
    list(training)
    card = json.loads(export(training, tmp_path / "tiny", "digits", "", "command").read_text(encoding="utf-8"))
    assert card["arithmetic"]["taken"] == training.arithmetic.describe()
    assert "ms" in card["arithmetic"]["why"]
    assert card["precision"].startswith("float32 while training")
    assert f"{cores()} core" in card["machine"]


@pytest.mark.parametrize(
    ("cuda", "mps", "alike", "expected"),
    [
        (True, True, {"cuda", "mps"}, "cuda"),
        (True, True, {"mps"}, "mps"),  # a card that this PyTorch was not built for
        (False, True, {"cuda", "mps"}, "mps"),
        (True, False, set(), "cpu"),
        (False, False, {"cuda", "mps"}, "cpu"),
    ],
)
def test_the_fastest_device_whose_answers_are_the_processors_is_taken(
    cuda: bool, mps: bool, alike: set[str], expected: str
) -> None:
    there = {"cuda": cuda, "mps": mps}
    assert fastest(there, alike.__contains__) == expected
    assert fastest(there, alike.__contains__, "cpu") == "cpu"
    for name, here in there.items():
        if here:
            assert fastest(there, alike.__contains__, name) == name  # whoever asks for it has it
        else:
            with pytest.raises(ValueError, match=f"^PyTorch finds no {name} here; leave the device out, or take cpu$"):
                fastest(there, alike.__contains__, name)
    with pytest.raises(ValueError, match=r"^'tpu' is no device; choose cpu, cuda or mps"):
        fastest(there, alike.__contains__, "tpu")


def test_a_device_that_cannot_answer_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """`meta` computes shapes alone, and so stands for an accelerator that is there and cannot compute."""
    assert answers_alike("cpu")
    assert not answers_alike("meta")
    monkeypatch.delenv("RESVIZ_DEVICE", raising=False)
    monkeypatch.delenv("RESVIZ_PLAIN", raising=False)
    if not torch.cuda.is_available():  # PyTorch says that there is one
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        device.cache_clear()
        assert device().type != "cuda"
    monkeypatch.setenv("RESVIZ_DEVICE", "meta")
    device.cache_clear()
    assert device().type == "meta"
    device.cache_clear()


def test_commands_take_the_device_that_they_are_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESVIZ_DEVICE", "cpu")
    assert main(["gradients", "blocks=1-1&width=4", "--json"]) == 0
    usual = json.loads(capsys.readouterr().out)
    assert main(["gradients", "blocks=1-1&width=4", "--json", "--device", "cpu"]) == 0
    assert json.loads(capsys.readouterr().out) == usual
    assert main(["gradients", "blocks=1-1&width=4", "--device", "meta"]) != 0  # it went there, where no number is
    capsys.readouterr()
    for command in (
        ["gradients", "resnet20"],
        ["explain", "x.png"],
        ["predict", "x.png"],
        ["train", "--data", "digits", "--out", "x"],
        ["transfer", "x"],
    ):
        assert main([*command, "--device", "tpu"]) == 2
        assert capsys.readouterr().err.startswith("resviz: 'tpu' is no device; choose cpu, cuda or mps")
    device.cache_clear()


def test_the_core_of_the_suite_passes_with_every_special_path_forced_off() -> None:
    """No oneDNN operators, no fused views, no glibc, float32, one thread: what any machine has."""
    environment = os.environ | {"RESVIZ_PLAIN": "1", "OMP_NUM_THREADS": "1"}
    core = ["tests/test_nets.py", "tests/test_probes.py", "tests/test_training.py", "tests/test_attribution.py"]
    few = "not bundled and not cancelling and not snippet and not reproduction and not recorded and not photographs and not near_a_change"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", few, *core]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-3000:]


def test_plain_paths_are_what_the_switch_leaves() -> None:
    """Else the test above would pass whatever it switched off."""
    code = """
import torch
from resviz.nets.inference.fused import _packs
from resviz.training.arithmetic import Arithmetic, choose
from resviz.spec.net import NetSpec
from resviz.machine import device
way = choose(NetSpec(blocks=(1,), width=4), 8, 8)
print(_packs(), way.precision, way.threads, device().type)
"""
    environment = os.environ | {"RESVIZ_PLAIN": "1"}
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "float32", "1", "cpu"]


@pytest.mark.parametrize("batches", ["batches", "shuffled", "crop_flip", "resized_crop_flip"])
def test_a_set_in_another_devices_memory_makes_its_batches_there(batches: str) -> None:
    colour = digits().images.expand(-1, 3, -1, -1)
    images = replace(digits(), images=colour, mean=(0.3,) * 3, std=(0.4,) * 3).to("meta")
    given = {"batches": (8,), "shuffled": (8, 0), "crop_flip": (8, 0), "resized_crop_flip": (8, 0, 12)}[batches]
    inputs, labels = next(iter(getattr(images, batches)(*given)))
    assert {inputs.device.type, labels.device.type} == {"meta"}
    assert len(inputs) == len(labels) == 8


def test_images_that_do_not_fit_beside_the_network_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (4 * digits().images.nbytes - 1, 1 << 40))
    assert Arithmetic("cuda").keep(digits()) is digits()
    assert Arithmetic("cpu").keep(digits()) is digits()
