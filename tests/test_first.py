"""What pages open with before PyTorch is there: as measured, with its card, and still what is measured here."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from resviz.training.first import MEASURES, measure
from resviz.zoo import first
from resviz.zoo.first import first_names, read_first, write_first


def test_every_measure_is_shipped_with_its_card() -> None:
    assert set(first_names()) == set(MEASURES)
    for name in first_names():
        card = read_first(name).card
        assert card["machine"]
        assert card["versions"]["torch"]
        assert str(card["command"]).startswith("python -m resviz first")


def test_gradients_are_what_is_measured_here() -> None:
    """In orders of magnitude: another processor rounds differently, and 56 plain layers multiply what it rounds."""
    kept, now = read_first("gradients").values, measure("gradients").values
    assert kept.keys() == now.keys()
    for key, probe in now.items():
        assert kept[key].profile.names == probe.profile.names
        assert np.allclose(np.log10(kept[key].profile.norms), np.log10(probe.profile.norms), atol=0.2)


def test_the_labs_first_step_is_what_is_measured_here() -> None:
    kept, now = read_first("lab").values["record"], measure("lab").values["record"]
    assert kept.plan == now.plan
    for old, new in zip(kept.tracks, now.tracks, strict=True):
        assert old.label == new.label
        assert np.allclose(old.loss, new.loss, rtol=1e-2)


def test_the_explanation_is_what_is_asked_here() -> None:
    kept, now = read_first("explain").values, measure("explain").values
    assert (kept["sample"], kept["network"]) == (now["sample"], now["network"])
    assert np.allclose(kept["prediction"].probabilities, now["prediction"].probabilities, atol=0.01)
    assert kept["maps"].keys() == now["maps"].keys()
    for name, found in now["maps"].items():
        assert np.corrcoef(kept["maps"][name].values.ravel(), found.values.ravel())[0, 1] > 0.97, name


def test_the_first_block_is_what_is_measured_here() -> None:
    kept, now = read_first("inside").values, measure("inside").values
    assert kept.keys() == now.keys()
    for name in ("sample", "network", "unit", "mapped", "activation"):
        assert kept[name] == now[name]
    assert now["activation"] == "ReLU"  # which the page applies by itself
    for name in ("identity", "residual"):
        assert np.allclose(kept[name], now[name], atol=1e-3)


def test_what_is_written_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = measure("lab")
    write_first("lab", written, tmp_path)
    monkeypatch.setattr(first, "FIRST", tmp_path)
    again = read_first("lab")
    assert dict(again.card) == dict(written.card)
    for old, new in zip(again.values["record"].tracks, written.values["record"].tracks, strict=True):
        assert np.array_equal(old.gradients, new.gradients)


@pytest.mark.parametrize("size", [0, 100, 2000])
def test_a_damaged_or_missing_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    shutil.copy(first.FIRST / "gradients.npz", tmp_path)
    monkeypatch.setattr(first, "FIRST", tmp_path)
    (tmp_path / "gradients.npz").write_bytes((tmp_path / "gradients.npz").read_bytes()[:size])
    for name in ("gradients", "lab"):
        with pytest.raises(ValueError, match=rf"^{name}\.npz cannot be read"):
            read_first(name)


def test_the_lesions_are_what_is_measured_here() -> None:
    kept, now = read_first("anatomy").values, measure("anatomy").values
    assert kept.keys() == now.keys()
    assert kept["spec"] == now["spec"]
    assert kept["dropped"].keys() == now["dropped"].keys()
    for name, error in now["dropped"].items():
        assert abs(kept["dropped"][name] - error) <= 100 * 3 / now["pictures"], name  # another processor may tip a picture or two
