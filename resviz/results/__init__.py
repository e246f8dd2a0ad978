"""What the computations return: frozen values made of numbers and names, numpy only."""

from resviz.results.attribution import SCORES, Attribution, Faithfulness, Paths, Prediction, Scope
from resviz.results.card import AnswersCard, CalibrationCard, Card, Measured, ReadoutsCard, ScopeCard
from resviz.results.inside import ORDERS, Arithmetic, Box, Excitement, Field, Forward, Inside, Lens, Readout
from resviz.results.layers import LayerRow, LayerTable, UnitRows
from resviz.results.probes import BlockSignal, DepthSweep, GradientProfile, Judgement, Probe, Verdict
from resviz.results.story import Chapter
from resviz.results.training import SIGNALS, EpochRecord, Finding, LabRecord, LabTrack, Run, Stage, TrainStep

__all__ = [
    "ORDERS",
    "SCORES",
    "SIGNALS",
    "AnswersCard",
    "Arithmetic",
    "Attribution",
    "BlockSignal",
    "Box",
    "CalibrationCard",
    "Card",
    "Chapter",
    "DepthSweep",
    "EpochRecord",
    "Excitement",
    "Faithfulness",
    "Field",
    "Finding",
    "Forward",
    "GradientProfile",
    "Inside",
    "Judgement",
    "LabRecord",
    "LabTrack",
    "LayerRow",
    "LayerTable",
    "Lens",
    "Measured",
    "Paths",
    "Prediction",
    "Probe",
    "Readout",
    "ReadoutsCard",
    "Run",
    "Scope",
    "ScopeCard",
    "Stage",
    "TrainStep",
    "UnitRows",
    "Verdict",
]
