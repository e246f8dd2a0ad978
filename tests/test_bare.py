"""The core where oneDNN and glibc are missing, and where nothing special is asked for: the same numbers as with everything this machine has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
# another order of additions moves the last digits; three steps of training carry them on
TOLERANCE = {"build": 0.0, "probe": 1e-4, "explain": 1e-3, "lab": 1e-3}  # of the largest number
CORE = """
import json
import numpy as np
import torch
from PIL import Image
import resviz
from resviz.allocator import give_back, keep_freed
from resviz.data.datasets import digits_split, probed
from resviz.process import settle
from resviz.spec.lab import LabPlan
from resviz.training.lab import Lab

settle()
keep_freed()
spec = resviz.NetSpec(blocks=(2, 2), width=8, in_channels=1)
net = resviz.build(spec)
found = {"build": [float(each.double().sum()) for each in net.parameters()]}
found["probe"] = resviz.gradient_probe(net.train(), *probed(spec, 16, 8)).profile.norms.tolist()
network = resviz.load_bundled("resnet20-cifar10")
ramp = np.add.outer(np.arange(64), 2 * np.arange(64)) % 256
case = resviz.Case(network, Image.fromarray(np.stack([ramp, ramp[::-1], 255 - ramp], 2).astype(np.uint8)), 3)
maps = [resviz.attribute(case, resviz.Asked(name)).values for name in ("input-x-gradient", "grad-cam")]
found["explain"] = np.concatenate([each.ravel() / abs(each).max() for each in maps]).tolist()
lab = Lab(LabPlan((spec, spec.plain()), lr=0.05, batch=16), digits_split)
for _ in range(3):
    lab.advance()
found["lab"] = [float(loss) for track in lab.record().tracks for loss in track.loss]
give_back()
print(json.dumps(found))
"""
WITHOUT = """
import ctypes
import torch
torch.backends.mkldnn.is_available = lambda: False  # a PyTorch that was built without it, as for some processors
torch.backends.mkldnn.set_flags(False)
whole = ctypes.CDLL
def none(name, *rest, **more):
    if name == "libc.so.6":
        raise OSError(f"{name}: cannot open shared object file")
    return whole(name, *rest, **more)
ctypes.CDLL = none
"""


def numbers(before: str = "", **environment: str) -> dict[str, list[float]]:
    """What the core computes in a process of its own."""
    inside = {name: value for name, value in os.environ.items() if name != "RESVIZ_PLAIN"} | {
        "OMP_NUM_THREADS": "1",
        "RESVIZ_DEVICE": "cpu",
        **environment,
    }
    done = subprocess.run([sys.executable, "-c", before + CORE], cwd=ROOT, env=inside, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: list(map(float, values)) for name, values in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def usual() -> dict[str, list[float]]:
    return numbers()


@pytest.mark.parametrize(("before", "environment"), [(WITHOUT, {}), ("", {"RESVIZ_PLAIN": "1"})], ids=["missing", "forced off"])
def test_the_core_computes_the_same_without_onednn_and_glibc(
    usual: dict[str, list[float]], before: str, environment: dict[str, str]
) -> None:
    bare = numbers(before, **environment)
    assert bare.keys() == usual.keys() == TOLERANCE.keys()
    for name, most in TOLERANCE.items():
        there, here = np.array(usual[name]), np.array(bare[name])
        assert there.size > 3
        assert np.isfinite(there).all()
        off = np.abs(there - here).max() / np.abs(there).max()
        print(f"{name}: {off:.1e} of the largest number apart")
        assert off <= most, (name, off)
