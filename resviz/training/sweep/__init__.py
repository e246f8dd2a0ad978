"""Sweeps: many small trainings, each done once, whatever ends in between."""

from resviz.training.sweep.engines import Done, Failed, locally, on_ray
from resviz.training.sweep.measure import measure
from resviz.training.sweep.store import Store

__all__ = ["Done", "Failed", "Store", "locally", "measure", "on_ray"]
