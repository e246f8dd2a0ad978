"""Every value of the command line is checked where it is read: one line, exit code 2, and what was meant where it can be told."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resviz.attribution.methods.table import METHODS
from resviz.attribution.question import Asked, Case, attribute
from resviz.cli import main
from resviz.zoo.bundled import load_bundled

MODEL = ("--model", "resnet20-cifar10")
ROOT = str(Path(__file__).resolve().parents[1])


def pixels(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (32, 40, 3), dtype=np.uint8))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a picture."""
    monkeypatch.chdir(tmp_path)
    pixels().save("photo.png")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line that a command is refused with."""
    capsys.readouterr()
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("resviz: ")
    assert err.count("\n") == 1
    return err


EXPLAIN = ("explain", "photo.png", *MODEL)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("export", "resnet20", "--to", "onnx", "--out", "net.pt"), "'net.pt' has no known ending; use .onnx"),
        (("summary", "net=resnet20&cuts=1.0"), "'cuts' is not a parameter, 'cut' is"),
        (("summary", "net="), "net='' is no preset"),
        (("summary", "net=resnet20&net=resnet32&cut="), "cut is empty; net='resnet20' is followed by net='resnet32'"),
        ((*EXPLAIN, "--option", "steps=many"), "steps must be a whole number from 10 to 300, got 'many'"),
        ((*EXPLAIN, "--option", "steps=nan"), "whole number"),
        ((*EXPLAIN, "--option", "steps=20.5"), "whole number"),
        ((*EXPLAIN, "--option", "steps=1e9"), "to 300"),
        ((*EXPLAIN, "--option", "stepz=50"), "did you mean steps?"),
        ((*EXPLAIN, "--option", "baseline=blakc"), "did you mean black?"),
        ((*EXPLAIN, "--option", "steps"), "NAME=VALUE"),
        ((*EXPLAIN, "--method", "grad-cam", "--option", "steps=5"), "is no parameter of Grad-CAM"),
        ((*EXPLAIN, "--method", "saliency@layer1.0"), "looks at no layer"),
        ((*EXPLAIN, "--method", "saliency", "--layer", "layer1.0"), "looks at no layer"),
        ((*EXPLAIN, "--method", "saliency", "--layer", ""), "looks at no layer"),
        ((*EXPLAIN, "--methods", "grad-cam,saliency@layer1.0"), "looks at no layer"),
        ((*EXPLAIN, "--methods", "grad-cam,"), "is no method"),
        ((*EXPLAIN, "--methods", ""), "is no method"),
        ((*EXPLAIN, "--methods", "saliencey"), "did you mean saliency?"),
        ((*EXPLAIN, "--method", "grad-cm"), "did you mean grad-cam?"),
        ((*EXPLAIN, "--method", "grad-cam@layer1.9"), "did you mean layer1"),
        ((*EXPLAIN, "--class", "cats"), "did you mean cat?"),
        ((*EXPLAIN, "--class", ""), "is no class"),
        ((*EXPLAIN, "--against", "dogg"), "did you mean dog?"),
        ((*EXPLAIN, "--out", "map.jpg"), "no known ending"),
        ((*EXPLAIN, "--out", "nowhere/map.png"), "no folder 'nowhere'"),
        (("predict", "photo.png", *MODEL, "--top", "0"), "at least 1"),
        (("predict", "photo.png", *MODEL, "--top", "five"), "at least 1"),
        (("explain", "", *MODEL), "names no file or folder"),
        (("predict", ""), "names no file or folder"),
        ((*EXPLAIN, "--methods", "saliency,lrp", "--out", ""), "names no file or folder"),
        (("train", "--data", "", "--out", "run"), "names no file or folder"),
        (("zoo", "verify", "--data", " "), "names no file or folder"),
        (("predict", "nowhere.png"), "nowhere.png: No such file"),
        (("predict", "."), "directory"),
        (("predict", "photo.png", "--model", "a\nb"), "a\\nb"),
        (("predict", "photo.png", "--model", "x" * 5000), "is not"),
        (("gradients", "blocks=1", "--batch", "0"), "at least 1"),
        (("gradients", "blocks=1", "--batch", "-3"), "at least 1"),
        (("gradients", "blocks=1", "--size", "0"), "from 1"),
        (("gradients", "resnet18", "--size", "32", "--batch", "1"), "too few for a batch norm"),
        (("gradients", "blocks=1", "--out", "profile.gif"), "no known ending"),
        (("gradients", "blocks=1", "--norm", "bath"), "invalid choice"),
        (("summary", "resnet50", "--size", "0"), "from 1"),
        (("summary", "resnet50", "--size", "x" * 3000), "from 1"),
        (("summary", "resnet500"), "did you mean resnet50?"),
        (("summary", "resnet50", "--out", "net.png"), "no known ending"),
        (("summary",), "required"),
        (("sumary", "resnet50"), "invalid choice"),
        (("summary", "resnet50", "--sise", "3"), "unrecognized"),
        ((), "required"),
        (("train", "--data", "cifar10", "--out", "run", "--batch", "1"), "at least 2"),
        (("zoo", "scope", "--data", "a", "--outside", "b", "--pictures", "0"), "at least 1"),
    ],
    ids=lambda given: " ".join(given)[:60] if isinstance(given, tuple) else "",
)  # fmt: skip
def test_a_wrong_value_is_one_line(argv: tuple[str, ...], words: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if words != "is not":
        assert words in refused(capsys, *argv)
    else:
        assert len(refused(capsys, *argv)) < 1000
    assert not list(here.glob("*.svg"))
    assert not (here / "explanations").exists()


def test_a_network_is_also_named_by_a_page_s_whole_link(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for net in ("https://resviz.example.org/build?net=resnet20&cut=1.0", "net=resnet20&cut=1.0"):
        assert main(["summary", net]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_the_page_and_the_command_line_refuse_the_same() -> None:
    classifier = load_bundled("resnet20-cifar10")
    case = Case(classifier, pixels(), 0)
    for method, entry in METHODS.items():
        with pytest.raises(ValueError, match="is no parameter of"):
            attribute(case, Asked.of(method, {"stepz": 5}))
        if not entry.layer:
            with pytest.raises(ValueError, match="looks at no layer"):
                attribute(case, Asked.of(method, {"layer": "layer1.0"}))


def test_a_names_list_longer_than_a_path_is_a_list(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ",".join(f"class number {n}" for n in range(1000))
    assert "names were given" in refused(capsys, "predict", "photo.png", "--model", str(own_network(here)), "--classes", names)


def own_network(folder: Path) -> Path:
    from safetensors.torch import save_file

    from resviz.nets.build import build
    from resviz.spec.net import NetSpec

    file = folder / "own.safetensors"
    save_file(build(NetSpec(blocks=(1,), width=4)).state_dict(), file)
    return file


def test_what_was_done_to_read_a_picture_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels(1).save("t.gif", save_all=True, append_images=[pixels(2), pixels(3)])
    for argv in (("predict", "t.gif", *MODEL, "--json"), ("explain", "t.gif", *MODEL, "--method", "saliency", "--json")):
        assert main(argv) == 0
        out, err = capsys.readouterr()
        json.loads(out)
        assert "t.gif: The first of 3 frames is shown." in err


@pytest.mark.parametrize("cut", [0, 5, 30, 200, -1])
@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "JPEG", "WEBP", "BMP"])
def test_a_cut_picture_is_never_a_traceback(cut: int, kind: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    buffer = io.BytesIO()
    pixels().save(buffer, kind, **({"save_all": True, "append_images": [pixels(1)]} if kind in ("GIF", "TIFF") else {}))
    Path("t.gif").write_bytes(buffer.getvalue()[:cut])
    code = main(["predict", "t.gif", *MODEL])
    out, err = capsys.readouterr()
    assert code in (0, 2)
    assert err.startswith("resviz: t.gif: ") if code else out
    assert all(line.startswith(("t.gif: ", "resviz: t.gif: ")) for line in err.splitlines())


def test_a_damaged_picture_is_said_in_our_words_alone(here: Path) -> None:
    buffer = io.BytesIO()
    pixels().save(buffer, "TIFF")
    Path("t.tif").write_bytes(buffer.getvalue()[:30])
    argv = [sys.executable, "-m", "resviz", "predict", "t.tif", *MODEL]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ROOT})
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("resviz: t.tif: ")


def images(folder: Path, part: str, cut: bool = False) -> None:
    for name in ("ant", "bee"):
        (folder / part / name).mkdir(parents=True)
        for n in range(4):
            pixels(n).resize((16, 16)).save(folder / part / name / f"{n}.png")
    if cut:
        whole = (folder / part / "ant" / "0.png").read_bytes()
        (folder / part / "ant" / "cut.png").write_bytes(whole[: len(whole) // 2])


def test_images_that_are_left_out_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images(here / "data", "train", cut=True)
    images(here / "data", "test", cut=True)
    argv = ["train", "--data", "data", "--net", "blocks=1&width=4", "--epochs", "1", "--batch", "4", "--out", "run", "--quiet"]
    assert main(argv) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "cut.png" in line]
    assert len(said) == 2
    assert "train: " in said[0]
    assert "test: " in said[1]
    assert main(["zoo", "verify", "run.safetensors", "--data", "data"]) == 0
    assert "cut.png" in capsys.readouterr().err


def test_a_figure_without_a_browser_is_one_sentence(here: Path) -> None:
    code = "import sys; from resviz.cli import main; sys.exit(main(sys.argv[1:]))"
    found = subprocess.run(
        [sys.executable, "-c", code, "gradients", "blocks=1&width=4", "--batch", "4", "--out", str(here / "profile.png")],
        capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1], env={"PATH": "", "BROWSER_PATH": str(here / "photo.png"), "HOME": str(here)},
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "or write .html" in found.stderr


def test_no_bar_stands_before_an_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty").mkdir()
    for argv in (("explain", "empty", *MODEL), ("explain", "photo.png", "--methods", "saliency", "--model", "nowhere")):
        refused(capsys, *argv)
