"""What the computations return: frozen values made of numbers and names, numpy only."""

from resviz.results.attribution import SCORES, Attribution, Faithfulness, Paths, Prediction, Scope
from resviz.results.card import Card, Measured, ScopeCard
from resviz.results.layers import LayerRow, LayerTable, UnitRows
from resviz.results.probes import BlockSignal, DepthSweep, GradientProfile, Judgement, Probe, Verdict
from resviz.results.story import Chapter
from resviz.results.training import SIGNALS, EpochRecord, Finding, LabRecord, LabTrack, Run, TrainStep

__all__ = [
    "SCORES",
    "SIGNALS",
    "Attribution",
    "BlockSignal",
    "Card",
    "Chapter",
    "DepthSweep",
    "EpochRecord",
    "Faithfulness",
    "Finding",
    "GradientProfile",
    "Judgement",
    "LabRecord",
    "LabTrack",
    "LayerRow",
    "LayerTable",
    "Measured",
    "Paths",
    "Prediction",
    "Probe",
    "Run",
    "Scope",
    "ScopeCard",
    "TrainStep",
    "UnitRows",
    "Verdict",
]
