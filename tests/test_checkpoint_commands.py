"""Checkpoint files on the command line: by content and not by ending, told apart by name, and told about by options."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from resviz.cli import main
from resviz.nets.build import build
from resviz.spec.net import Activation, NetSpec, Shortcut
from resviz.zoo.bundled import bundled_file, card
from tests.foreign import trained

SPEC = NetSpec(blocks=(1, 1), width=8, classes=3)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.linear_gradient("L").convert("RGB").resize((48, 40)).save(path)
    return str(path)


def save(path: Path, spec: NetSpec = SPEC, seed: int = 0) -> str:
    path.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    torch.save(trained(build(spec), seed).state_dict(), buffer)
    path.write_bytes(buffer.getvalue())
    return str(path)


def predicted(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[dict[str, float], str]:
    assert main(["predict", *argv, "--json"]) == 0
    out, err = capsys.readouterr()
    return {row["class"]: row["probability"] for row in json.loads(out)["classes"]}, err


@pytest.mark.parametrize("name", ["w.pth.tar", "W.PTH", "w.ckpt", "w", "w.bin"])
def test_an_existing_file_is_a_file(name: str, photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, said = predicted(capsys, photo, "--model", save(tmp_path / name))
    assert len(found) == 3
    assert "not in the file" in said


def test_options_say_what_a_file_does_not(photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(tmp_path / "w.pth", replace(SPEC, shortcut=Shortcut.A))
    usual, _ = predicted(capsys, photo, "--model", file)
    for option in (
        ["--plain"],
        ["--activation", "tanh"],
        ["--size", "48"],
        ["--mean", "0.1,0.2,0.3", "--std", "1,1,1"],
        ["--pool"],
    ):
        told, said = predicted(capsys, photo, "--model", file, *option)
        assert told != usual, option
        assert option[0].removeprefix("--") not in said
    named, _ = predicted(capsys, photo, "--model", file, "--classes", "ant,bee,cow")
    assert set(named) == {"ant", "bee", "cow"}
    (tmp_path / "names.txt").write_text("ant\nbee\ncow\n", encoding="utf-8")
    assert predicted(capsys, photo, "--model", file, "--classes", str(tmp_path / "names.txt"))[0] == named
    for wrong in (
        ["--classes", "ant"],
        ["--mean", "red"],
        ["--std", "0,0,0"],
        ["--size", "0"],
        ["--weights", "ema"],
        ["--groups", "0"],
    ):
        assert main(["predict", photo, "--model", file, *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_options_are_for_files_alone(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", photo, "--model", "resnet20-cifar10", "--plain"]) == 2
    assert "is no file" in capsys.readouterr().err
    assert main(["predict", photo, "--model", "nowhere.pth"]) == 2
    assert "no file" in capsys.readouterr().err


def test_a_card_beside_the_file_is_read(photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("plain20-cifar10", "resnet20-cifar10"):
        (tmp_path / "own.safetensors").write_bytes(bundled_file(name))  # its card inside
        expected, _ = predicted(capsys, photo, "--model", name)
        assert predicted(capsys, photo, "--model", str(tmp_path / "own.safetensors")) == (expected, "")
    save(tmp_path / "own.pth")
    (tmp_path / "own.json").write_text(json.dumps(card("plain20-cifar10")), encoding="utf-8")
    assert "is of another network" in predicted(capsys, photo, "--model", str(tmp_path / "own.pth"))[1]


def test_files_of_one_name_keep_their_own_maps(photo: str, tmp_path: Path) -> None:
    files = [
        save(tmp_path / "run1" / "model.pth"),
        save(tmp_path / "run2" / "model.pth", seed=5),
        save(tmp_path / "resnet20-cifar10.pth"),
    ]
    out = tmp_path / "out"
    models = ",".join([*files, "resnet20-cifar10"])
    assert main(["explain", photo, "--methods", "saliency", "--model", models, "--out", str(out)]) == 0
    assert len(list((out / "maps").rglob("*.npy"))) == 4
    table = (out / "predictions.csv").read_text(encoding="utf-8")
    assert "run1-model.pth" in table
    assert "run2-model.pth" in table


def test_a_dotted_name_stays_in_its_folder(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["explain", photo, "--methods", "saliency", "--model", save(tmp_path / "...pth"), "--out", str(out)]) == 0
    assert len(list((out / "maps").rglob("*.npy"))) == 1
    assert len(list(tmp_path.rglob("*.npy"))) == 1


def test_a_file_is_verified_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = tmp_path / "data", save(tmp_path / "w.pth", replace(SPEC, activation=Activation.TANH))
    for n, name in enumerate(("ant", "bee", "cow")):
        (data / "test" / name).mkdir(parents=True)
        for m in range(2):
            Image.new("RGB", (32, 32), (90 * n, 40 * m, 99)).save(data / "test" / name / f"{m}.png")
    assert main(["zoo", "verify", file, "--data", str(data), "--activation", "tanh", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out).values()
    assert row["images"] == 6
    assert row["card"] is None


def test_training_writes_the_card_into_the_file(tmp_path: Path, photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("train", "test"):
        for n, name in enumerate(("ant", "bee", "cow")):
            (tmp_path / "data" / part / name).mkdir(parents=True)
            for m in range(4):
                Image.new("RGB", (32, 32), (90 * n, 40 * m, 99)).save(tmp_path / "data" / part / name / f"{m}.png")
    net = "blocks=1-1&width=8&activation=tanh&residual=0"
    argv = [
        "train",
        "--net",
        net,
        "--data",
        str(tmp_path / "data"),
        "--epochs",
        "1",
        "--batch",
        "4",
        "--out",
        str(tmp_path / "net"),
        "--quiet",
    ]
    assert main(argv) == 0
    capsys.readouterr()
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        assert json.loads(file.metadata()["card"])["categories"] == ["ant", "bee", "cow"]
    (tmp_path / "net.json").unlink()
    found, said = predicted(capsys, photo, "--model", str(tmp_path / "net.safetensors"))
    assert set(found) == {"ant", "bee", "cow"}
    assert said == ""
