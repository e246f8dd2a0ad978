"""Files whose content nobody vouches for: nothing in them is run, whichever door they come through."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from resviz.data.datasets import digits_split
from resviz.spec.net import NetSpec
from resviz.training.loop import Training
from resviz.training.recipes import RECIPES
from resviz.zoo.checkpoint import CheckpointError, load

TINY = NetSpec(blocks=(1,), width=4, in_channels=1)


class Writes:
    """What is unpickled as a call that writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self.path, "run", "utf-8")


def poisoned(folder: Path) -> tuple[Path, Path]:
    """A checkpoint, and the file that unpickling it would write."""
    checkpoint, written = folder / "run.ckpt", folder / "written"
    torch.save({"run": "", "net": {}, "optimizer": Writes(written), "losses": [], "history": "", "arithmetic": {}}, checkpoint)
    return checkpoint, written


def test_the_trap_works(tmp_path: Path) -> None:
    checkpoint, written = poisoned(tmp_path)
    torch.load(checkpoint, weights_only=False)
    assert written.read_text(encoding="utf-8") == "run"
    written.unlink()
    pickle.loads(pickle.dumps(Writes(written)))
    assert written.exists()


def test_a_training_is_not_taken_up_from_a_file_that_runs_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this PyTorch's default is: before 2.6 it was to run what the file says."""
    checkpoint, written = poisoned(tmp_path)
    load_whole = partial(torch.load, weights_only=False)
    monkeypatch.setattr(torch, "load", load_whole)
    train, test = digits_split()
    with pytest.raises(ValueError, match="cannot be taken up, it is damaged"):
        Training(TINY, train.subset(64), test.subset(20), replace(RECIPES["he2015-cifar"], batch=32), checkpoint=checkpoint)
    assert not written.exists()


@pytest.mark.parametrize("pure", [False, True], ids=["torch.save", "pickle"])
def test_a_visitors_checkpoint_is_described_and_never_run(pure: bool, tmp_path: Path) -> None:
    checkpoint, written = poisoned(tmp_path)
    if pure:
        checkpoint.write_bytes(pickle.dumps({"state_dict": Writes(written)}))
    with pytest.raises(CheckpointError):
        load(checkpoint.read_bytes(), "net.pth")
    assert not written.exists()
