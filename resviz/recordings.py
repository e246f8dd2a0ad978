"""Recorded runs as Parquet: one long table, with the run's card in the file's own metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from resviz.guard import door
from resviz.place import asset
from resviz.results import BlockSignal, Card, EpochRecord, GradientProfile, LabRecord, Probe, Run

__all__ = ["RUNS", "RunError", "lab_frame", "read_run", "run_names", "run_of", "to_frame", "to_parquet", "write_run"]

RUNS = asset("runs")


class RunError(ValueError):
    """A recorded run that is missing or damaged; the message names the file."""


_NUMBERS = ("train_error", "train_loss", "test_error", "test_loss", "seconds")


def to_frame(losses: Sequence[float] | np.ndarray, epochs: Sequence[EpochRecord]) -> pd.DataFrame:
    """The run as rows (epoch, step, quantity, name, value): `name` is a layer or a block, empty where there is none."""
    steps = len(losses) // max(1, len(epochs))
    loss_rows = ((i // steps + 1 if steps else 1, i + 1, "loss", "", float(v)) for i, v in enumerate(losses))
    rows = [*loss_rows, *(row for record in epochs for row in _rows(record, steps * record.epoch))]
    frame = pd.DataFrame(rows, columns=["epoch", "step", "quantity", "name", "value"])
    kinds = {"epoch": "int32", "step": "int32", "quantity": "category", "name": "category", "value": "float64"}
    return frame.astype(kinds)


def _rows(record: EpochRecord, step: int) -> Iterator[tuple[int, int, str, str, float]]:
    for quantity in _NUMBERS:
        yield record.epoch, step, quantity, "", float(getattr(record, quantity))
    if record.probe is None:
        return
    profile, signal = record.probe.profile, record.probe.signal
    yield record.epoch, step, "probe_loss", "", profile.loss
    for quantity, names, values in (
        ("weight_gradient", profile.names, profile.norms),
        ("output_gradient", signal.names, signal.gradient_norms),
        ("activation_std", signal.names, signal.activation_std),
        ("branch_ratio", signal.names, record.branch_ratio),
    ):
        for name, value in zip(names, values, strict=True):
            yield record.epoch, step, quantity, name, float(value)


def write_run(
    path: Path, card: Mapping[str, object], losses: Sequence[float] | np.ndarray, epochs: Sequence[EpochRecord]
) -> None:
    """Write PATH as Parquet, the card in its metadata."""
    path.write_bytes(to_parquet(to_frame(losses, epochs), card))


def to_parquet(frame: pd.DataFrame, card: Mapping[str, object]) -> bytes:
    """A Parquet file that says in its metadata what it is."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(frame, preserve_index=False)
    about = {**(table.schema.metadata or {}), b"card": json.dumps(card, ensure_ascii=False).encode()}
    sink = pa.BufferOutputStream()
    parquet.write_table(table.replace_schema_metadata(about), sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def lab_frame(record: LabRecord) -> pd.DataFrame:
    """Everything a lab recorded as rows (step, contender, quantity, name, value), its edits among them."""
    parts = []
    for track in record.tracks:
        for quantity, steps, names, values in (
            ("loss", record.line_steps, ("",), track.loss[:, None]),
            ("accuracy", record.line_steps, ("",), track.accuracy[:, None]),
            ("held_out_loss", record.held_out_steps, ("",), track.held_out[:, :1]),
            ("held_out_accuracy", record.held_out_steps, ("",), track.held_out[:, 1:]),
            ("weight_gradient", record.steps, track.layers, track.gradients),
            ("update_ratio", record.steps, track.layers, track.updates),
            *((name, record.signal_steps, track.blocks, signal) for name, signal in track.signals.items()),
        ):
            columns = {
                "step": np.repeat(steps, len(names)),
                "contender": track.label,
                "quantity": quantity,
                "name": np.tile(np.array(names, object), len(steps)),
                "value": np.asarray(values, np.float64).ravel(),
            }
            parts.append(pd.DataFrame(columns))
    for edit in record.plan.edits:
        if edit.step <= record.step:
            label = record.tracks[edit.contender].label if edit.block else ""
            row = {"step": edit.step, "contender": label, "quantity": edit.what, "name": edit.block, "value": edit.value}
            parts.append(pd.DataFrame([row]))
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"step": "int32", "contender": "category", "quantity": "category", "name": "category"})


def run_names() -> tuple[str, ...]:
    """The runs that come with the project."""
    return tuple(sorted(path.stem for path in RUNS.glob("*.parquet")))


def read_run(path: Path) -> Run:
    """A recorded run; raises `RunError` where the file is none."""
    with door(RunError, f"{path.parent.name}/{path.name} cannot be read ({{}}); copy it from the project again"):
        return _read(path)


def _read(path: Path) -> Run:
    from pyarrow import parquet

    table = parquet.read_table(path)
    card = json.loads((table.schema.metadata or {}).get(b"card", b"{}"))
    if not card:
        raise RunError(f"{path} holds no run: its metadata has no card; write one with `python -m resviz train`")
    return run_of(path.stem, table.to_pandas(), card)


def run_of(name: str, frame: pd.DataFrame, card: Card) -> Run:
    """The run that `to_frame` made these rows of; what it raises for others is its own."""
    losses = frame.loc[frame["quantity"] == "loss", "value"].to_numpy()
    rest = frame[frame["quantity"] != "loss"]
    last = int(rest["epoch"].max())
    epochs = tuple(_record(int(str(epoch)), last, part) for epoch, part in rest.groupby("epoch", sort=True))
    return Run(name, card, losses, epochs)


def _record(epoch: int, epochs: int, rows: pd.DataFrame) -> EpochRecord:
    parts = {str(quantity): part for quantity, part in rows.groupby("quantity", observed=True, sort=False)}

    def column(quantity: str) -> tuple[tuple[str, ...], np.ndarray]:
        return tuple(parts[quantity]["name"].astype(str)), parts[quantity]["value"].to_numpy()

    probe, ratios = None, ()
    if "weight_gradient" in parts:
        (layers, norms), (blocks, gradients), (_, stds) = map(column, ("weight_gradient", "output_gradient", "activation_std"))
        loss = float(parts["probe_loss"]["value"].iloc[0])
        probe = Probe(GradientProfile(layers, norms, loss), BlockSignal(blocks, gradients, stds))
        ratios = tuple(column("branch_ratio")[1])
    numbers = {quantity: float(parts[quantity]["value"].iloc[0]) for quantity in _NUMBERS}
    return EpochRecord(epoch=epoch, epochs=epochs, probe=probe, branch_ratio=ratios, **numbers)
