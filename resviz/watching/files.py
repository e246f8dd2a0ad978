"""Recordings as files: written with their card, and opened again, from wherever they come."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np
import pandas as pd

from resviz.guard import door, quoted
from resviz.recordings import RunError, run_of, to_parquet
from resviz.results import QUANTITIES, Broken, Card, Quantity, Recording, Run, Table
from resviz.spec.lab import LabPlan, labels_of, plan_from_query
from resviz.spec.names import name_of
from resviz.spec.query import from_query

__all__ = ["open_recording", "recording_frame", "recording_of", "recording_parquet"]

# of a file from outside
_FILE: Final = 64 << 20  # bytes
_ROWS: Final = 5_000_000
_CELLS: Final = 20_000_000  # of one table, steps × layers
_UNPACKED: Final = 512 << 20  # bytes, as the file itself says
_FORMAT: Final = "resviz watch"
_VERSION: Final = 1
# what the three kinds of files call the same: a watch, a recorded run, a lab
_CALLED: Final[Mapping[str, Quantity]] = {
    **{name: name for name in QUANTITIES},
    "weight_gradient": "gradient",
    "update_ratio": "update",
    "activation_std": "std",
}


def recording_frame(recording: Recording) -> pd.DataFrame:
    """A recording as rows (step, quantity, name, value); what there was nothing to measure of has none."""
    losses = pd.DataFrame({"step": recording.loss_at, "quantity": "loss", "name": "", "value": recording.losses})
    parts = [losses]
    for quantity, table in recording.tables.items():
        columns = {
            "step": np.repeat(table.steps, len(table.names)).astype(np.float64),
            "quantity": quantity,
            "name": np.tile(np.array(table.names, object), len(table.steps)),
            "value": table.values.ravel(),
        }
        parts.append(pd.DataFrame(columns).dropna())
    return pd.concat(parts, ignore_index=True).astype({"quantity": "category", "name": "category"})


def recording_parquet(recording: Recording) -> bytes:
    """A recording as a Parquet file with its card; `open_recording` gives the same back."""
    return to_parquet(recording_frame(recording), recording.card)


def recording_of(run: Run) -> Recording:
    """A recorded run of ours, epoch by epoch."""
    epochs = [record for record in run.epochs if record.probe is not None]
    steps = np.array([record.epoch for record in epochs], np.int64)
    each = len(run.losses) / max(1, len(run.epochs))
    spec = from_query(run.card["spec"])[0]

    def table(names: tuple[str, ...], values: list[np.ndarray]) -> Table:
        return Table(names, steps, _no_nan(np.array(values, np.float64)))

    probes = [record.probe for record in epochs if record.probe is not None]
    layers = probes[0].profile.names
    return Recording(
        title=name_of(spec),
        unit="epoch",
        last=len(run.epochs),
        loss_at=(np.arange(len(run.losses)) + 1) / max(1.0, each),
        losses=np.asarray(run.losses, np.float64),
        tables={
            "gradient": table(layers, [probe.profile.norms for probe in probes]),
            "std": table(probes[0].signal.names, [probe.signal.activation_std for probe in probes]),
        },
        judged=frozenset(layers),
        guess=math.log(spec.classes),
        card=dict(run.card),
        spec=spec,
    )


def open_recording(data: bytes, name: str) -> tuple[Recording, ...]:
    """What a Parquet file of a watch, of the Lab or of `train` recorded: one of each network in it.

    Raises `RunError` in a sentence for anything else, for what is larger than its limits and for a newer version's.
    """
    said = quoted(name)
    if len(data) > _FILE:
        raise RunError(f"{said} is {len(data) >> 20} MB and the limit is {_FILE >> 20}; record fewer steps or layers.")
    with door(RunError, f"{said} is no recording, or not whole ({{}}); give a file that watch.save, the Lab or `train` wrote."):
        frame, card = _table(data, said)
    if card.get("format") == _FORMAT:
        version = card.get("version")
        if not isinstance(version, int) or version > _VERSION:
            raise RunError(
                f"{said} was written by a newer version of ResViz (format {quoted(version, 20)}, this one reads "
                f"{_VERSION}); update ResViz."
            )
        with door(RunError, f"{said} does not hold what its card says ({{}}); save it again."):
            return (_watched(frame, card, said),)
    with door(RunError, f"{said} does not hold what its card says ({{}}); save it again."):
        if "lab" in card:
            return _of_lab(frame, card, said)
        if "spec" in card:
            return (recording_of(run_of(Path(name).stem, frame, cast(Card, card))),)
    raise RunError(f"{said} has no card that says what it recorded; give a file that watch.save, the Lab or `train` wrote.")


def _table(data: bytes, said: str) -> tuple[pd.DataFrame, dict[str, object]]:
    """The rows, read once their number and size are known to be bearable, and the card."""
    from pyarrow import parquet

    file = parquet.ParquetFile(io.BytesIO(data))
    about = file.metadata
    size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    if about.num_rows > _ROWS or size > _UNPACKED:
        raise RunError(
            f"{said} has {about.num_rows:,} rows of {size >> 20} MB, the limits are {_ROWS:,} and {_UNPACKED >> 20} MB."
        )
    card = json.loads((about.metadata or {}).get(b"card", b"{}"))
    known = [
        column for column in ("epoch", "step", "contender", "quantity", "name", "value") if column in file.schema_arrow.names
    ]
    if not {"step", "quantity", "name", "value"} <= set(known) or not isinstance(card, dict):
        raise RunError(
            f"{said} is a table of something else: it lacks the columns step, quantity, name and value; give what watch.save wrote."
        )
    frame: pd.DataFrame = file.read(columns=known).to_pandas()
    return frame, card


def _pivot(rows: pd.DataFrame, names: Sequence[str] | None, said: str) -> Table:
    """One quantity's rows as a table; its columns in the order of `names`, or as they first occur."""
    found = rows["name"].astype(str)
    there = dict.fromkeys(str(each) for each in found.unique())
    order = list(there) if names is None else [name for name in names if name in there]
    steps, row = np.unique(rows["step"].to_numpy(np.int64), return_inverse=True)
    values = _empty(len(steps), len(order), said)
    place = {name: i for i, name in enumerate(order)}
    values[row, found.map(place).to_numpy(np.int64)] = _no_nan(rows["value"].to_numpy(np.float64))
    return Table(tuple(order), steps.astype(np.int64), values)


def _empty(steps: int, names: int, said: str) -> np.ndarray:
    """Room for a table; a file of few rows may ask for more of it than any memory has."""
    if steps * names > _CELLS:
        raise RunError(f"{said} has {steps:,} steps of {names:,} layers; the limit is {_CELLS:,} values.")
    return np.full((steps, names), np.nan)


def _no_nan(values: np.ndarray) -> np.ndarray:
    """What was measured and is no number is ∞: NaN means that nothing was."""
    return np.where(np.isnan(values), np.inf, values)


def _tables(frame: pd.DataFrame, names: Sequence[str] | None, said: str) -> dict[Quantity, Table]:
    found = {str(each): part for each, part in frame.groupby("quantity", observed=True, sort=False)}
    tables = {_CALLED[each]: _pivot(part, names, said) for each, part in found.items() if each in _CALLED}
    if "gradient" not in tables:
        raise RunError(f"{said} holds no gradients, so there is nothing to draw.")
    return {quantity: tables[quantity] for quantity in QUANTITIES if quantity in tables}


def _watched(frame: pd.DataFrame, card: Mapping[str, object], said: str) -> Recording:
    """A watch's file; layers that never had a gradient are in its card alone."""
    layers, judged, broken = (_list(card[name]) for name in ("layers", "judged", "broken"))
    names = [str(each) for each in layers]
    tables = _tables(frame, names, said)
    table = tables["gradient"]
    values, place = _empty(len(table.steps), len(names), said), {name: i for i, name in enumerate(names)}
    values[:, [place[name] for name in table.names]] = table.values
    tables["gradient"] = Table(tuple(names), table.steps, values)
    losses = frame.loc[frame["quantity"] == "loss"]
    guess = card["guess"]
    return Recording(
        title=quoted(card["model"]),
        unit="epoch" if card.get("unit") == "epoch" else "step",
        last=int(str(card["steps"])),
        loss_at=losses["step"].to_numpy(np.float64),
        losses=losses["value"].to_numpy(np.float64),
        tables=tables,
        judged=frozenset(map(str, judged)),
        guess=math.nan if guess is None else float(str(guess)),
        card=dict(card),
        broken=tuple(_broken(each) for each in broken),
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{quoted(value, 20)} is no list")
    return value


def _broken(value: object) -> Broken:
    what, step, layer = _list(value)
    for word in ("loss", "gradient", "activation"):
        if what == word:
            return Broken(word, int(str(step)), str(layer))
    raise ValueError(f"{quoted(what, 20)} is nothing that breaks")


def _of_lab(frame: pd.DataFrame, card: Mapping[str, object], said: str) -> tuple[Recording, ...]:
    """The contenders of a lab, each as the network that it was at the end."""
    query, last = card["lab"], int(str(card["step"]))
    plan = plan_from_query({str(k): str(v) for k, v in query.items()})[0] if isinstance(query, dict) else None
    if plan is None:
        raise RunError(f"{said} is of a lab whose plan cannot be read.")
    return tuple(_contender(frame, plan, i, last, said) for i in range(len(plan.contenders)))


def _contender(frame: pd.DataFrame, plan: LabPlan, i: int, last: int, said: str) -> Recording:
    label = labels_of(plan.contenders)[i]
    own = frame.loc[frame["contender"].astype(str) == label]
    losses = own.loc[own["quantity"] == "loss"]
    tables = _tables(own.loc[own["quantity"].isin({*_CALLED, "std", "dead"})].dropna(), None, said)
    spec = plan.specs_at(last)[i]
    return Recording(
        title=label,
        unit="step",
        last=last,
        loss_at=losses["step"].to_numpy(np.float64),
        losses=losses["value"].to_numpy(np.float64),
        tables=tables,
        judged=frozenset(tables["gradient"].names),
        guess=math.log(spec.classes),
        card={"model": label, "steps": last, "from": "the Lab"},
        spec=spec,
    )
