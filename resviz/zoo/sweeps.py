"""Sweeps that come with the project, and tables of others' own."""

from __future__ import annotations

import io
from typing import Final

import pandas as pd

from resviz.guard import brief, door
from resviz.place import asset
from resviz.spec.sweep import ABOUT, MEASURES

__all__ = ["SWEEPS", "TableError", "axes_of", "bundled_sweep", "read_table", "sweep_names"]

SWEEPS: Final = asset("sweeps")
_NEEDED: Final = ("key", "network", "seed")
_MOST: Final = 200_000  # rows


class TableError(ValueError):
    """This is no sweep's table."""


def sweep_names() -> tuple[str, ...]:
    """Those that come with the project, whether or not their files are whole."""
    return ("depth",)


def bundled_sweep(name: str) -> pd.DataFrame:
    """The table of one of them. Raises `TableError` where it is damaged."""
    try:
        return read_table((SWEEPS / f"{name}.parquet").read_bytes())
    except (TableError, OSError) as error:
        raise TableError(
            f"assets/sweeps/{name}.parquet cannot be read ({brief(error)}); copy it from the project again"
        ) from error


def read_table(data: bytes) -> pd.DataFrame:
    """A table that `sweep` wrote. Raises `TableError` for anything else."""
    from pyarrow import parquet

    with door(TableError, "this is no Parquet file ({}); give one that `python -m resviz sweep` wrote"):
        file = parquet.ParquetFile(io.BytesIO(data))
        if file.metadata.num_rows > _MOST:
            raise TableError(f"it has {file.metadata.num_rows:,} rows, and {_MOST:,} are the most")
        table: pd.DataFrame = file.read().to_pandas()
    if missing := [name for name in _NEEDED if name not in table]:
        raise TableError(f"its column {missing[0]!r} is missing; give a table that `python -m resviz sweep` wrote")
    if not set(MEASURES) & set(table.columns):
        raise TableError(f"it has none of the columns {', '.join(MEASURES)}; give a table that `python -m resviz sweep` wrote")
    if len(table) == 0:
        raise TableError("it has no row: none of its runs is done yet")
    return table


def axes_of(table: pd.DataFrame) -> dict[str, list[object]]:
    """What the plan varied, with its values: numbers in order, words as they first came."""
    axes = {}
    for name in table.columns:
        if name in ABOUT or name in MEASURES:
            continue
        values = [value for value in table[name].drop_duplicates().tolist() if value == value]  # NaN: other combinations have it
        if len(values) > 1:
            numbers = all(str(value).replace(".", "", 1).isdigit() for value in values)
            axes[str(name)] = sorted(values, key=float) if numbers else values
    return axes
