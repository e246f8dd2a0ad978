"""Recorded runs as Parquet: one long table, with the run's card in the file's own metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resviz.results import BlockSignal, EpochRecord, GradientProfile, Probe, Run

__all__ = ["RUNS", "read_run", "run_names", "to_frame", "write_run"]

RUNS = Path(__file__).resolve().parents[2] / "assets" / "runs"
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


def write_run(path: Path, card: Mapping[str, Any], losses: Sequence[float] | np.ndarray, epochs: Sequence[EpochRecord]) -> None:
    """Write PATH as Parquet, the card in its metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(to_frame(losses, epochs), preserve_index=False)
    about = {**(table.schema.metadata or {}), b"card": json.dumps(card, ensure_ascii=False).encode()}
    parquet.write_table(table.replace_schema_metadata(about), path, compression="zstd")


def run_names() -> tuple[str, ...]:
    """The runs that come with the project."""
    return tuple(sorted(path.stem for path in RUNS.glob("*.parquet")))


def read_run(path: Path) -> Run:
    """A recorded run; raises ValueError where the file is none."""
    from pyarrow import parquet

    table = parquet.read_table(path)
    card = json.loads((table.schema.metadata or {}).get(b"card", b"{}"))
    if not card:
        raise ValueError(f"{path} holds no run: its metadata has no card; write one with `python -m resviz train`")
    frame: pd.DataFrame = table.to_pandas()
    losses = frame.loc[frame["quantity"] == "loss", "value"].to_numpy()
    rest = frame[frame["quantity"] != "loss"]
    last = int(rest["epoch"].max())
    epochs = tuple(_record(int(str(epoch)), last, part) for epoch, part in rest.groupby("epoch", sort=True))
    return Run(path.stem, card, losses, epochs)


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
