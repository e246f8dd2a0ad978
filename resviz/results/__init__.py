"""What the computations return: frozen values made of numbers and names, numpy only."""

from resviz.results.anatomy import Draws, Lesions, PathLengths, Refinement, SkipRemoval
from resviz.results.attention import AttentionMaps, Collapse
from resviz.results.attribution import SCORES, Attribution, Faithfulness, Paths, Prediction, Scope
from resviz.results.card import AnswersCard, CalibrationCard, Card, Measured, ReadoutsCard, ScopeCard
from resviz.results.difference import Difference, Differing, NetworkDifference
from resviz.results.inside import ORDERS, Arithmetic, Box, Excitement, Field, Forward, Inside, Lens, Readout
from resviz.results.landscape import Landscape, Reuse, Sharpness, Shattering, Similarity, Trajectory
from resviz.results.layers import LayerRow, LayerTable, Source, UnitRows
from resviz.results.masks import Masks
from resviz.results.plane import PlaneMap
from resviz.results.probes import BlockSignal, DepthSweep, GradientProfile, Judgement, Probe, Reach, Verdict
from resviz.results.recording import QUANTITIES, Broken, Quantity, Recording, Table
from resviz.results.shortcuts import RaceRecord
from resviz.results.story import Chapter
from resviz.results.training import SIGNALS, EpochRecord, Finding, LabRecord, LabTrack, Run, Stage, TrainStep
from resviz.results.transfer import LearningCurve, TransferEpoch, Transferred
from resviz.results.trust import METRICS, Agreement, Interval, Metric, Ranking

__all__ = [
    "METRICS",
    "ORDERS",
    "QUANTITIES",
    "SCORES",
    "SIGNALS",
    "Agreement",
    "AnswersCard",
    "Arithmetic",
    "AttentionMaps",
    "Attribution",
    "BlockSignal",
    "Box",
    "Broken",
    "CalibrationCard",
    "Card",
    "Chapter",
    "Collapse",
    "DepthSweep",
    "Difference",
    "Differing",
    "Draws",
    "EpochRecord",
    "Excitement",
    "Faithfulness",
    "Field",
    "Finding",
    "Forward",
    "GradientProfile",
    "Inside",
    "Interval",
    "Judgement",
    "LabRecord",
    "LabTrack",
    "Landscape",
    "LayerRow",
    "LayerTable",
    "LearningCurve",
    "Lens",
    "Lesions",
    "Masks",
    "Measured",
    "Metric",
    "NetworkDifference",
    "PathLengths",
    "Paths",
    "PlaneMap",
    "Prediction",
    "Probe",
    "Quantity",
    "RaceRecord",
    "Ranking",
    "Reach",
    "Readout",
    "ReadoutsCard",
    "Recording",
    "Refinement",
    "Reuse",
    "Run",
    "Scope",
    "ScopeCard",
    "Sharpness",
    "Shattering",
    "Similarity",
    "SkipRemoval",
    "Source",
    "Stage",
    "Table",
    "TrainStep",
    "Trajectory",
    "TransferEpoch",
    "Transferred",
    "UnitRows",
    "Verdict",
]
