"""Batch norm's statistics after a lesion: those of training, or estimated again as a plain pass in training mode does it."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from resviz.cli import main
from resviz.figures import captions
from resviz.nets.build import build
from resviz.nets.unit import Net
from resviz.probes.lesion import lesions, several, singles
from resviz.results import Draws, Lesions
from resviz.spec.lesion import Lesion
from resviz.spec.net import NetSpec, Norm
from resviz.zoo.bundled import load_bundled
from resviz.zoo.labelled import labelled_for, training_for

NETWORK = load_bundled("resnet20-digits-0")
HELD_OUT, TRAINING = labelled_for(NETWORK), training_for(NETWORK)


def by_hand(net: Net, begins: str = "") -> Net:
    """The same with statistics of the training pictures, as PyTorch keeps them: of every norm, or of those from a block on."""
    names = [name for name, _ in net.units()]
    after = set(names[names.index(begins) :]) if begins else set()
    norms = [
        module
        for name, module in net.named_modules()
        if isinstance(module, nn.BatchNorm2d) and (not begins or ".".join(name.split(".")[:2]) in after)
    ]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        net(TRAINING.normalised(TRAINING.images))
    return net.eval()


@torch.no_grad()
def wrong(net: nn.Module) -> float:
    answers = net(HELD_OUT.normalised(HELD_OUT.images)).argmax(1)
    return 100 * float((answers != HELD_OUT.labels).float().mean())


def test_every_lesion_goes_by_its_own_statistics() -> None:
    drop, cut = Lesion(dropped=frozenset({"layer2.0"})), Lesion(cut=frozenset({"layer3.1"}))
    found = lesions(NETWORK.private_view(), HELD_OUT, [drop, cut], again=TRAINING)
    whole = by_hand(copy.deepcopy(NETWORK.net))
    dropped, severed = (copy.deepcopy(whole) for _ in range(2))
    dropped.wire(replace(NETWORK.spec, dropped=drop.dropped))
    severed.wire(replace(NETWORK.spec, cut=cut.cut))
    expected = [wrong(whole), wrong(by_hand(dropped, "layer2.0")), wrong(by_hand(severed, "layer3.1"))]
    one_picture = 100 / len(HELD_OUT)
    assert [found.base, found.errors[drop], found.errors[cut]] == pytest.approx(expected, abs=1.01 * one_picture)
    assert found.estimated_on == 512
    kept = lesions(NETWORK.private_view(), HELD_OUT, [cut])
    assert kept.estimated_on == 0
    assert abs(kept.errors[cut] - found.errors[cut]) > 3 * one_picture  # so that the agreement means something


def test_a_network_is_left_as_it_was_even_after_an_error() -> None:
    before = {name: value.clone() for name, value in NETWORK.net.state_dict().items()}

    def stop(fraction: float, note: str = "", partial: object = None) -> bool:
        if fraction:
            raise RuntimeError("enough")
        return False

    view = NETWORK.private_view()
    own = dict(view.named_buffers())
    with pytest.raises(RuntimeError, match="enough"):
        lesions(view, HELD_OUT, singles(view)[:2], stop, TRAINING)
    assert all(value is own[name] for name, value in view.named_buffers())
    assert all(module.momentum == 0.1 for module in view.modules() if isinstance(module, nn.BatchNorm2d))
    assert not any(module.training for module in view.modules())
    assert all(torch.equal(value, before[name]) for name, value in NETWORK.net.state_dict().items())


def test_several_at_once_say_where_their_statistics_are_from() -> None:
    few = HELD_OUT.subset(40)
    found = several(NETWORK.private_view(), few, draws=1, again=TRAINING.subset(64))
    assert {title: draws.estimated_on for title, draws in found.items()} == {"branches dropped": 64, "pairs swapped": 64}


def test_without_a_batch_norm_there_is_nothing_to_estimate() -> None:
    bare = build(NetSpec(blocks=(1, 1), width=8, in_channels=1, norm=Norm.NONE)).eval()
    with pytest.raises(ValueError, match="no batch norm whose statistics could be estimated again; ask without that"):
        lesions(bare, HELD_OUT, singles(bare), again=TRAINING)


def test_captions_say_which() -> None:
    said = " Batch norms go by statistics that were estimated again, each time, on 512 pictures."
    assert captions.lesions_note(Lesions(5.0, {}, 200, 512)) == f"As it is, 5.0 % of 200 pictures are wrong.{said}"
    assert captions.lesion_note(Lesion(), 5.0, 5.0, 200, 512).endswith(f"wrongly.{said}")
    assert captions.draws_note({"pairs swapped": Draws((1,), np.array([[6.0]]), 5.0, 200, 512)}).endswith(said)
    assert "estimated" not in captions.lesions_note(Lesions(5.0, {}, 200))


def test_the_command_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesion", "resnet20-digits-0", "--draws", "0", "--pictures", "50", "--reestimate", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["estimated_on"] == 512
    assert "estimated again, each time, on 512 pictures" in said["says"]
