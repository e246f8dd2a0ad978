from __future__ import annotations

import csv
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from resviz.attribution.methods.table import METHODS
from resviz.cli import main
from resviz.data.uploads import sample_photographs


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    assert main(argv) == 0
    return json.loads(capsys.readouterr().out)


def test_summary(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    result = run(capsys, "summary", "resnet50", "--json", "--out", str(tmp_path / "net.svg"))
    assert result["params"] == 25_557_032
    assert (tmp_path / "net.svg").read_text().startswith("<svg")


def test_gradients_of_a_plain_net_vanish(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    argv = ("gradients", "resnet56", "--plain", "--norm", "none", "--init", "pytorch", "--json")
    result = run(capsys, *argv, "--out", str(tmp_path / "profile.html"))
    assert result["norms"][0] < 1e-12 < result["norms"][-1]
    assert (tmp_path / "profile.html").exists()


def test_predict_and_explain(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    sample_photographs()["Cat"].save(photo)
    ranked = run(capsys, "predict", str(photo), "--json")["classes"]
    assert [c["probability"] for c in ranked] == sorted((c["probability"] for c in ranked), reverse=True)
    for method in METHODS:
        argv = ("explain", str(photo), "--method", method, "--json", "--out", str(tmp_path / f"{method}.png"))
        run(capsys, *argv, *(() if method == "saliency" else ("--model", "resnet20-cifar10")))  # the small one is quicker
        assert (tmp_path / f"{method}.png").stat().st_size > 1000


def test_several_methods_and_layers_of_one_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    photo, out = tmp_path / "cat.png", tmp_path / "out"
    sample_photographs()["Cat"].save(photo)
    methods = "saliency,grad-cam@layer1.0,grad-cam@layer3.2,grad-cam@layer9.9"
    argv = ("explain", str(photo), "--methods", methods, "--model", "resnet20-cifar10", "--out", str(out), "--json")
    assert run(capsys, *argv)["problems"] == 1
    assert {path.stem.partition(".")[2] for path in out.rglob("*.npy")} == {"png." + m for m in methods.split(",")[:3]}
    row = next(csv.DictReader((out / "predictions.csv").open()))
    assert "has no block layer9.9" in row["problem"]


def test_every_method_is_listed_with_the_parameters_that_explain_takes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    listed = run(capsys, "methods", "--json")
    assert set(listed) == set(METHODS)
    photo = tmp_path / "cat.png"
    sample_photographs()["Cat"].save(photo)
    for name, about in listed.items():
        given = [f"--option={option}={p.get('low', p['default'])}" for option, p in about["parameters"].items()]
        argv = (
            "explain",
            str(photo),
            "--method",
            name,
            "--model",
            "resnet20-cifar10",
            *given,
            "--out",
            str(tmp_path / "map.png"),
        )
        run(capsys, *argv, "--json")


@pytest.mark.parametrize("argv", [("summary", "resnet51"), ("summary", "width=0"), ("predict", "/nowhere.jpg")])
def test_errors_are_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_is_explained_whatever_lies_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    (inbox / "sub").mkdir(parents=True)
    photographs = sample_photographs()
    photographs["Cat"].save(inbox / "cat.png")
    photographs["Coffee"].save(inbox / "sub" / "a cup.jpg")
    (inbox / "broken.jpg").write_bytes(b"no picture")
    (inbox / "notes.txt").write_text("not asked")
    code = main(["explain", str(inbox), "--methods", "saliency,grad-cam", "--model", "resnet20-cifar10,resnet18-imagenette", "--out", str(out)])  # fmt: skip
    assert code == 0
    rows = list(csv.DictReader((out / "predictions.csv").open()))
    assert len(rows) == 6
    assert [row["file"] for row in rows if row["problem"]] == ["broken.jpg", "notes.txt"]
    assert len(list(out.rglob("*.npy"))) == len(list(out.rglob("*.png"))) == 8
    page = (out / "index.html").read_text()
    assert all((out / unquote(src)).exists() for src in re.findall('src="([^"]+)"', page))
    assert main(["explain", str(inbox), "--methods", "salience", "--out", str(out)]) == 2
    assert "is no method" in capsys.readouterr().err
    packed = tmp_path / "in.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(inbox / "cat.png", "/abs/cat.png")
    assert main(["explain", str(packed), "--methods", "saliency", "--out", str(tmp_path / "zipped" / "deep")]) == 0
    assert not list(tmp_path.glob("*.npy"))
    assert len(list((tmp_path / "zipped" / "deep").rglob("*.npy"))) == 1
