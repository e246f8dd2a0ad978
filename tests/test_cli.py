from __future__ import annotations

import json
from pathlib import Path

import pytest

from resviz.attribution.methods import METHODS
from resviz.cli import main
from resviz.images import sample_photographs


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
        run(capsys, "explain", str(photo), "--method", method, "--json", "--out", str(tmp_path / f"{method}.png"))
        assert (tmp_path / f"{method}.png").stat().st_size > 1000


@pytest.mark.parametrize("argv", [("summary", "resnet51"), ("summary", "width=0"), ("predict", "/nowhere.jpg")])
def test_errors_are_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.count("\n") == 1
