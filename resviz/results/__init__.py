"""What the computations return: frozen values made of numbers and names, numpy only."""

from resviz.results.attribution import SCORES, Attribution, Faithfulness, Paths, Prediction, Scope
from resviz.results.card import Card, Measured, ScopeCard
from resviz.results.inside import ORDERS, Arithmetic, Box, Field, Forward, Inside, Lens, Readout
from resviz.results.landscape import Landscape, Sharpness, Shattering, Similarity
from resviz.results.layers import LayerRow, LayerTable, UnitRows
from resviz.results.probes import BlockSignal, DepthSweep, GradientProfile, Judgement, Probe, Verdict
from resviz.results.story import Chapter
from resviz.results.training import SIGNALS, EpochRecord, Finding, LabRecord, LabTrack, Run, Stage, TrainStep

__all__ = [
    "ORDERS",
    "SCORES",
    "SIGNALS",
    "Arithmetic",
    "Attribution",
    "BlockSignal",
    "Box",
    "Card",
    "Chapter",
    "DepthSweep",
    "EpochRecord",
    "Faithfulness",
    "Field",
    "Finding",
    "Forward",
    "GradientProfile",
    "Inside",
    "Judgement",
    "LabRecord",
    "LabTrack",
    "Landscape",
    "LayerRow",
    "LayerTable",
    "Lens",
    "Measured",
    "Paths",
    "Prediction",
    "Probe",
    "Readout",
    "Run",
    "Scope",
    "ScopeCard",
    "Sharpness",
    "Shattering",
    "Similarity",
    "Stage",
    "TrainStep",
    "UnitRows",
    "Verdict",
]
