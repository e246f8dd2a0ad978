"""Where a sweep's rows lie: one small Parquet file a run in a folder, so that whatever is killed, each is there once or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import escape
from pathlib import Path

import pandas as pd

from resviz.spec.sweep import Run
from resviz.training.sweep.measure import Row

__all__ = ["Store"]


class Store:
    """A folder of rows by their runs' keys; pandas, DuckDB and Arrow read it as one table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.part"):  # of a process that was killed while it wrote
            left.unlink(missing_ok=True)

    def done(self) -> set[str]:
        """The keys whose rows are there, whole."""
        return {file.stem for file in self.folder.glob("*.parquet")}

    def put(self, run: Run, row: Row) -> None:
        """A row appears whole, under its key; done twice it is the same file."""
        part = self.folder / f".{run.key}.{os.getpid()}.part"
        pd.DataFrame([row]).to_parquet(part, index=False)  # without the settings, which are the plan's words for it
        part.replace(self.folder / f"{run.key}.parquet")

    def table(self, runs: Iterable[Run]) -> pd.DataFrame:
        """The rows of these runs that are there, with the settings as this plan names them, in its order."""
        there = self.done()
        rows = [dict(run.settings) | self._row(run) for run in runs if run.key in there]
        return pd.DataFrame(rows)

    def _row(self, run: Run) -> dict[str, object]:
        kept = pd.read_parquet(self.folder / f"{run.key}.parquet").iloc[0].to_dict()
        return {name: kept[name] for name in Row.__annotations__ if name in kept}

    def write(self, runs: Iterable[Run], out: Path) -> int:
        """All rows as one Parquet file, sorted by key; how many there are."""
        table = self.table(runs)
        if len(table):
            table = table.sort_values("key", ignore_index=True)
        for left in out.parent.glob(f".{escape(out.name)}.*.part"):  # of a process that was killed while it wrote
            left.unlink(missing_ok=True)
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        table.to_parquet(part, index=False)
        part.replace(out)
        return len(table)
