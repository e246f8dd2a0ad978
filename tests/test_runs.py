"""A run on disk: its own files whatever its name, its own data, one writer, and a sentence where something is in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image

from resviz.cli import main
from resviz.data.datasets import cifar10_sets, cifar10_there, digits_split
from resviz.data.images import ImageSet
from resviz.spec.net import NetSpec
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[1]
TINY = NetSpec(blocks=(1,), width=2, in_channels=1)
RECIPE = replace(RECIPES["he2015-cifar"], epochs=2, batch=16)


def folder(root: Path, shift: int = 0) -> Path:
    """Two classes of eight-pixel pictures, twenty for training and ten held out each."""
    draw = np.random.default_rng(shift)
    for split, count in (("train", 20), ("test", 10)):
        for label, name in enumerate(("dark", "light")):
            place = root / split / name
            place.mkdir(parents=True)
            for i in range(count):
                Image.fromarray(draw.integers(100 * label, 100 * label + 120, (8, 8, 3), dtype=np.uint8)).save(place / f"{i}.png")
    return root


def train(data: Path, out: Path, *more: str) -> int:
    return main(
        [
            "train",
            "--net",
            "blocks=1&width=2",
            "--data",
            str(data),
            "--epochs",
            "1",
            "--batch",
            "16",
            "--quiet",
            "--out",
            str(out),
            *more,
        ]
    )


def test_names_with_dots_are_runs_of_their_own(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    for name in ("lr0.1", "lr0.2", "v1"):
        assert train(data, tmp_path / name, "--seed", str(len(name))) == 0
    for name in ("lr0.1", "lr0.2", "v1"):
        assert {f"{name}.{ending}" for ending in ("json", "safetensors", "parquet", "ckpt")} <= {
            p.name for p in tmp_path.iterdir()
        }


def sets(shift: int = 0) -> tuple[ImageSet, ImageSet]:
    train_set, test_set = digits_split()
    moved = replace(train_set, images=torch.roll(train_set.images, shift, 0), labels=torch.roll(train_set.labels, shift, 0))
    return moved.part(slice(0, 64)), test_set.part(slice(0, 16))


def other_size(images: ImageSet) -> ImageSet:
    return replace(images, images=images.images.repeat(1, 1, 2, 2))


def other_names(images: ImageSet) -> ImageSet:
    return replace(images, categories=tuple(f"the {name}" for name in images.categories))


@pytest.mark.parametrize("change", ["images", "size", "classes"])
def test_a_run_is_taken_up_only_with_its_own_data(tmp_path: Path, change: str) -> None:
    """Each has as many images as the run that was begun."""
    path = tmp_path / "run.ckpt"
    list(Training(TINY, *sets(), RECIPE, path, probe_images=8))
    changed = sets(500) if change == "images" else tuple(map({"size": other_size, "classes": other_names}[change], sets()))
    with pytest.raises(ValueError, match="belongs to another run"):
        Training(TINY, *changed, RECIPE, path, probe_images=8)  # type: ignore[arg-type]
    assert len(Training(TINY, *sets(), RECIPE, path, probe_images=8).history) == 2


def test_training_and_test_images_have_the_same_classes_in_the_same_order() -> None:
    train_set, test_set = sets()
    for names in (("10", *test_set.categories[1:]), tuple(reversed(test_set.categories))):
        with pytest.raises(ValueError, match="different classes"):
            Training(TINY, train_set, replace(test_set, categories=names), RECIPE)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str) -> None:
    data, out = folder(tmp_path / "data"), tmp_path / "run"
    assert train(data, out) == 0
    path = tmp_path / "run.ckpt"
    whole = path.read_bytes()
    if damage == "other":
        torch.save({"state_dict": {}}, path)
    else:
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"not a checkpoint"}[damage])
    capsys.readouterr()
    assert train(data, out) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "run.ckpt cannot be taken up, it is damaged" in said[0]
    assert "remove it" in said[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits there")
def test_a_full_disk_is_one_sentence_and_leaves_no_part(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    code = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
from resviz.cli import main
sys.exit(main(["train", "--net", "blocks=1&width=8", "--data", {str(data)!r}, "--epochs", "1", "--batch", "16", "--quiet", "--out", {str(tmp_path / "run")!r}]))
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 2, found.stderr
    assert "run.ckpt cannot be written" in found.stderr
    assert "Traceback" not in found.stderr
    assert not list(tmp_path.glob("*.part"))


def test_two_trainings_never_write_to_one_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = folder(tmp_path / "data")
    with FileLock(tmp_path / "run.lock"):
        assert train(data, tmp_path / "run") == 2
    assert "is being trained by another process" in capsys.readouterr().err
    assert train(data, tmp_path / "run") == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--epochs", "0"),
        ("--epochs", "-1"),
        ("--batch", "0"),
        ("--batch", "1"),
        ("--threads", "0"),
        ("--seed", "-3"),
        ("--epochs", "1e3"),
    ],
)
def test_values_are_checked_where_they_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), option, value]) == 2
    said = capsys.readouterr().err
    assert f"argument {option}: must be a whole number" in said
    assert said.count("\n") == 1


def test_a_training_ends_well_in_a_locale_of_seven_bits(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [
        sys.executable,
        "-m",
        "resviz",
        "train",
        "--net",
        "blocks=1&width=2",
        "--data",
        str(data),
        "--epochs",
        "1",
        "--batch",
        "16",
    ]
    command += ["--data-name", "Bäume", "--quiet", "--out", str(tmp_path / "run")]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "·" in (card := (tmp_path / "run.json").read_text(encoding="utf-8"))
    assert '"data": "Bäume"' in card


def test_training_and_the_lab_look_for_data_in_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots: list[str] = []

    class Recorded:
        """torchvision's data set, without its 170 MB."""

        classes = ("dark", "light")

        def __init__(self, root: str, train: bool, download: bool) -> None:
            roots.append(root)
            self.data, self.targets = np.zeros((20, 32, 32, 3), np.uint8), [0, 1] * 10

    monkeypatch.setattr("torchvision.datasets.CIFAR10", Recorded)
    monkeypatch.setenv("RESVIZ_DATA", str(tmp_path / "elsewhere"))
    assert train(Path("cifar10"), tmp_path / "run") == 0
    assert set(roots) == {str(tmp_path / "elsewhere")}
    assert not cifar10_there()
    (tmp_path / "elsewhere" / "cifar-10-batches-py").mkdir(parents=True)
    assert cifar10_there()
    roots.clear()
    cifar10_sets()
    assert set(roots) == {str(tmp_path / "elsewhere")}
