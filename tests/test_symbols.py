"""A Transformer that reads symbols, and the task it learns: to copy what follows the marker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from resviz.cli import main
from resviz.data.datasets import probed, sets_of
from resviz.data.symbols import sequences
from resviz.figures.attention import attention_mosaic
from resviz.figures.captions import attention_note, table_note
from resviz.figures.diagram import network_diagram
from resviz.nets.build import build
from resviz.nets.cost import layer_table
from resviz.nets.families.transformer import Transformer
from resviz.probes.attention import attention_maps
from resviz.probes.gradients import gradient_probe
from resviz.spec.comparisons import TRANSFORMER_COMPARISONS, comparison_of, fitting
from resviz.spec.datasets import DATASETS, symbol
from resviz.spec.families import preset_of, things_of
from resviz.spec.lab import LabPlan, fitting_data
from resviz.spec.net import NetSpec, SpecError
from resviz.spec.query import from_query, to_query_string
from resviz.spec.transformer import TRANSFORMER_PRESETS, TransformerSpec
from resviz.training.lab import Lab

SPEC = TRANSFORMER_PRESETS["transformer_copy"]


def test_a_sequence_has_one_marker_and_its_answer_is_what_follows() -> None:
    for part in sequences(seed=3):
        rows = part.images.flatten(1).long()
        marked = (rows == 0).int()
        assert (marked.sum(1) == 1).all()
        place = marked.argmax(1)
        assert (place < rows.shape[1] - 1).all()
        assert torch.equal(rows[torch.arange(len(rows)), place + 1] - 1, part.labels)
        assert torch.equal(part.normalised(part.images), part.images)
        assert (int(part.labels.min()), int(part.labels.max())) == (0, DATASETS["copy"].symbols - 2)
    assert torch.equal(sequences(seed=3)[0].images, sequences(seed=3)[0].images)
    assert not torch.equal(sequences(seed=3)[0].images, sequences(seed=4)[0].images)


def test_symbols_are_written_as_the_marker_then_letters() -> None:
    assert [symbol(number) for number in (0, 1, 8, 26, 27)] == ["▸", "A", "H", "Z", "27"]
    assert sequences()[0].categories == tuple("ABCDEFGH")


def test_every_symbol_has_a_vector_of_its_own() -> None:
    net = build(SPEC)
    assert isinstance(net, Transformer)
    inputs, _ = probed(SPEC, 4, SPEC.image)
    tokens = net.stem(inputs)
    rows, places = inputs.flatten(1).long(), net.encoder.pos_embedding
    assert torch.equal(tokens[:, 1:], net.embedding.weight[rows] + places[:, 1:])
    assert torch.equal(tokens[:, 0], (net.class_token + places[:, :1])[:, 0].expand(4, -1))


def test_the_table_counts_what_the_network_has() -> None:
    table, net = layer_table(SPEC, 3), build(SPEC)
    assert table.params == sum(p.numel() for p in net.parameters())
    row = table.rows[0]
    assert (row.name, row.kind, row.out_shape, row.params, row.macs) == ("embedding", "embedding", (9, 64), 9 * 64, 0)
    matrices = sum(
        module.weight.numel() * 10
        for name, module in net.named_modules()
        if isinstance(module, nn.Linear) and not name.startswith("heads")
    )
    mixing = sum(m.in_proj_weight.numel() * 10 + 2 * 10**2 * 64 for m in net.modules() if isinstance(m, nn.MultiheadAttention))
    assert table.macs == matrices + mixing + 64 * 8


def test_what_is_drawn_and_said_of_it_speaks_of_symbols() -> None:
    table = layer_table(SPEC, 3)
    drawn = str(network_diagram(table).data())
    assert "'symbols'" in drawn
    assert "'image'" not in drawn
    assert "select:embedding" in drawn
    assert "MACs a sequence;" in table_note(table)


def test_its_gradient_reaches_the_symbols() -> None:
    probe = gradient_probe(build(SPEC).train(), *probed(SPEC, 16, SPEC.image))
    assert probe.profile.names[0] == "embedding"
    assert probe.profile.norms[0] > 1e-3


def test_links_say_how_many_symbols_it_knows() -> None:
    assert to_query_string(SPEC) == "family=transformer&image=3&patch=1&num_layers=4&vocabulary=9&classes=8"
    assert from_query(to_query_string(SPEC)) == (SPEC, ())
    assert preset_of(SPEC) == "transformer_copy"
    assert (SPEC.title, SPEC.plain().title, SPEC.shape, SPEC.tokens) == (
        "Transformer-4",
        "Plain Transformer-4",
        "9 of 9 symbols",
        10,
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"patch": 3}, "reads symbols one by one, got patch=3"),
        ({"in_channels": 3}, "in_channels=3; use patch=1"),
        ({"vocabulary": 1}, "vocabulary=1 has nothing to tell apart"),
        ({"vocabulary": 2000}, "vocabulary must be from 0 to 1024, got 2000"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(changes: dict[str, int], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        replace(SPEC, **changes)  # type: ignore[arg-type] # the fields are whole numbers


def test_only_what_reads_symbols_learns_from_them() -> None:
    assert (things_of(SPEC), things_of(TransformerSpec())) == ("sequences", "images")
    assert fitting_data([SPEC]) == ("copy",)
    assert "copy" not in fitting_data([TransformerSpec()])
    assert "copy" not in fitting_data([NetSpec()])
    with pytest.raises(SpecError, match="share no data: one reads images, another sequences"):
        LabPlan((SPEC, NetSpec()), data="copy")
    with pytest.raises(SpecError, match="data=digits does not fit Transformer-4, which learns from copy"):
        LabPlan((SPEC,), data="digits")
    assert fitting(replace(SPEC, image=5), 3, 1, 8) == SPEC


def test_with_skips_it_learns_to_copy_and_without_it_stays_near_guessing() -> None:
    plan = TRANSFORMER_COMPARISONS["Copying symbols"](4)
    assert comparison_of(plan) == "Copying symbols"
    lab = Lab(plan, lambda: sets_of(plan), looks=100)
    for _ in range(300):
        lab.advance()
    record = lab.record()
    assert record is not None
    right = [float(track.held_out[-1, 1]) for track in record.tracks]
    assert right[0] >= 90
    assert right[1] <= 50
    net, held_out = lab.network(0)
    assert isinstance(net, Transformer)
    inputs = held_out.normalised(held_out.images[:1])
    found = attention_maps(net.eval(), inputs, int(held_out.labels[0]), 300)
    assert found.label == held_out.categories[int(held_out.labels[0])]
    assert np.allclose(found.weights.sum(-1), 1, atol=1e-5)
    note = attention_note(found, "Transformer-4")
    assert f"after 300 steps on sequences, asked for {found.label} and saying {found.answer}" in note
    assert "of each symbol" in note
    letters = np.array(attention_mosaic(found).data[0].text)
    assert (letters == "▸").sum() == 1
    assert letters.ravel()[(letters == "▸").ravel().argmax() + 1] == found.label


def test_the_command_line_names_what_was_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradients", "transformer_copy", "--batch", "8"]) == 0
    assert "8 sequences of symbols" in capsys.readouterr().out
    assert main(["rank", "transformer_copy", "--layers", "6"]) == 0
    assert "median of 16 sequences" in capsys.readouterr().out
