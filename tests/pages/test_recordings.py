"""The page of recordings: what is given is drawn, scrubbed and judged; what is none is refused in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

import resviz
from resviz.data.images import digits
from resviz.recordings import RUNS, RunError, lab_frame, read_run, run_names, to_parquet
from resviz.spec.lab import LabPlan, plan_to_query
from resviz.spec.net import NetSpec
from resviz.training.detect import findings, recorded_findings
from resviz.training.lab import Lab
from resviz.watching.files import open_recording, recording_of, recording_parquet
from tests.pages.test_pages import finished, left_out, opened

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


def test_a_file_opens_at_its_last_step_wherever_the_one_before_stood(tmp_path: Path) -> None:
    at = given(recorded(tmp_path, steps=60))
    assert any("Step 60 of 60" in each.value for each in at.markdown)


def test_where_no_two_layers_can_be_compared_all_are_shown_and_it_is_said(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    watch = resviz.watch(net)
    net(torch.rand(8, 4)).square().mean().backward()
    watch.step()
    at = given(watch.save(tmp_path / "two.parquet").read_bytes())
    assert "There are no two layers whose gradients can be compared" in spoken(at)
    assert not at.toggle


def test_a_run_of_ours_is_named_by_the_link() -> None:
    at = opened(PAGE, run="resnet20-cifar10")
    assert not at.exception
    assert "**ResNet-20**: the gradient of every layer, epoch by epoch" in spoken(at).replace("\\", "")
    assert at.query_params["run"] in ("resnet20-cifar10", ["resnet20-cifar10"])
    assert "Epoch 30 of 30" in spoken(at)
    next(each for each in at.button if each.label == "Photographs").click().run()
    assert at.query_params["run"] in ("resnet18-imagenette", ["resnet18-imagenette"])
    assert "**ResNet-18**" in spoken(at).replace("\\", "")
    at = opened(PAGE, run="no such")
    assert left_out(at) == ["run no such"]
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


def test_a_lab_s_file_holds_each_of_its_networks() -> None:
    spec = NetSpec(blocks=(1, 1), width=4, in_channels=1)
    lab = Lab(LabPlan((spec, spec.plain()), lr=0.01), lambda: (digits(), digits().part(slice(0, 64))))
    for _ in range(20):
        lab.advance()
    record = lab.record()
    assert record is not None
    data = to_parquet(lab_frame(record), {"lab": plan_to_query(record.plan), "step": record.step})
    for read, track in zip(open_recording(data, "lab.parquet"), record.tracks, strict=True):
        assert (read.title, read.last, read.spec.residual) == (track.label, 20, track.residual)
        assert np.array_equal(read.tables["gradient"].values, track.gradients)
        assert np.array_equal(read.tables["update"].values, track.updates)
        assert read.tables["std"].names == track.blocks
        assert {finding.kind for finding in recorded_findings(read, 20)} <= {
            f.kind for f in findings(record, 20) if f.label == track.label
        }
    at = given(data, "lab.parquet")
    assert not at.exception
    assert at.selectbox[-1].options == [track.label for track in record.tracks]


def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    data, draw = recorded(tmp_path), np.random.default_rng(0)
    for _ in range(80):
        broken = bytearray(data)
        for place in draw.integers(0, len(data), 6):
            broken[place] = draw.integers(256)
        with contextlib.suppress(RunError):
            open_recording(bytes(broken), "run.parquet")


def test_a_table_that_would_fill_the_memory_is_refused() -> None:
    rows = pd.DataFrame({"step": range(9000), "quantity": "gradient", "name": [f"n{i}" for i in range(9000)], "value": 1.0})
    layers = list(rows["name"])
    card = {
        "format": "resviz watch",
        "version": 1,
        "layers": layers,
        "judged": [],
        "broken": [],
        "guess": None,
        "model": "m",
        "steps": 1,
    }
    with pytest.raises(RunError, match="9,000 steps of 9,000 layers"):
        open_recording(to_parquet(rows, card), "run.parquet")


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
