"""The page of recordings: what is given is drawn, scrubbed and judged; what is none is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

import resviz
from resviz.recordings import RUNS, read_run, run_names, to_parquet
from resviz.watching.files import open_recording, recording_of, recording_parquet
from tests.pages.test_pages import finished, opened

PAGE = "pages/recordings.py"


def recorded(tmp_path: Path, steps: int = 6, ruined: int = 0) -> bytes:
    """A small training, in whose `ruined` step a weight is no number."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer, watch = torch.optim.SGD(net.parameters(), 0.1), resviz.watch(net, every=2)
    for step in range(1, steps + 1):
        if step == ruined:
            with torch.no_grad():
                net[2].weight[0, 0] = float("nan")
        optimizer.zero_grad()
        loss = net(torch.rand(8, 4)).square().mean()
        loss.backward()
        optimizer.step()
        watch.step(loss)
    watch.close()
    return watch.save(tmp_path / "run.parquet").read_bytes()


def given(data: bytes, name: str = "run.parquet") -> AppTest:
    at = opened(PAGE)
    at.file_uploader[0].upload(name, data)
    return finished(at.run())


def spoken(at: AppTest) -> str:
    return "\n".join(each.value for each in at.markdown)


def test_a_watch_s_file_is_opened_and_scrubbed(tmp_path: Path) -> None:
    at = given(recorded(tmp_path, ruined=4))
    assert not at.exception
    assert not at.error
    assert "**Sequential**: the gradient of every layer" in spoken(at)
    assert "Step 6 of 6" in spoken(at)
    assert "**The loss is no finite number** for the first time in step 4" in spoken(at)
    assert "run" not in at.query_params
    slider = at.select_slider[0]
    assert (slider.label, slider.options) == ("Step", ["1", "2", "4", "6"])
    slider.set_value(2).run()
    assert "Step 2 of 6" in spoken(at)


def test_a_run_of_ours_is_named_by_the_link() -> None:
    at = opened(PAGE, run="resnet20-cifar10")
    assert not at.exception
    assert "**ResNet-20**: the gradient of every layer, epoch by epoch" in spoken(at).replace("\\", "")
    assert at.query_params["run"] in ("resnet20-cifar10", ["resnet20-cifar10"])
    assert "Epoch 30 of 30" in spoken(at)
    at = opened(PAGE, run="no such")
    assert not at.exception
    assert "run" not in at.query_params


@pytest.mark.parametrize("name", run_names())
def test_every_bundled_run_is_a_recording(name: str) -> None:
    run = read_run(RUNS / f"{name}.parquet")
    recording = recording_of(run)
    (read,) = open_recording((RUNS / f"{name}.parquet").read_bytes(), f"{name}.parquet")
    probe = run.epochs[-1].probe
    assert np.array_equal(read.tables["gradient"].values[-1], probe.profile.norms)
    assert np.array_equal(read.tables["gradient"].values, recording.tables["gradient"].values)
    assert (read.last, read.unit, read.spec) == (len(run.epochs), "epoch", recording.spec)


def edited(data: bytes, **changes: object) -> bytes:
    """The same rows with another card."""
    (recording,) = open_recording(data, "run.parquet")
    return recording_parquet(type(recording)(**{**vars(recording), "card": {**recording.card, **changes}}))


def table(**columns: object) -> bytes:
    return to_parquet(pd.DataFrame(columns), {"format": "resviz watch"})


WRONG: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a photograph": (lambda _: b"\x89PNG\r\n" + bytes(100), "is no recording, or not whole"),
    "half a file": (lambda data: data[: len(data) // 2], "is no recording, or not whole"),
    "nothing": (lambda _: b"", "is no recording, or not whole"),
    "a table of something else": (lambda _: table(a=[1]), "lacks the columns"),
    "a newer version": (lambda data: edited(data, version=2), "newer version"),
    "a card that lies": (lambda data: edited(data, layers=["other"]), "does not hold what its card says"),
    "no card": (lambda _: to_parquet(pd.DataFrame({"step": [1], "quantity": ["loss"], "name": [""], "value": [1.0]}), {}), "no card"),
    "too large": (lambda _: bytes((64 << 20) + 1), "the limit is 64"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_recording_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    make, said = WRONG[name]
    with pytest.raises(ValueError, match=said):
        open_recording(make(recorded(tmp_path)), "run.parquet")


def test_a_refusal_is_shown_and_what_was_there_stays(tmp_path: Path) -> None:
    at = given(recorded(tmp_path)[:500])
    assert not at.exception
    assert len(at.error) == 1
    assert "run.parquet" in at.error[0].value.replace("\\", "")
    assert "Plain-56**: the gradient" in spoken(at).replace("\\", "")
