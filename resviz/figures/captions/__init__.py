"""Captions computed from what was measured, one module a subject."""

from resviz.figures.captions.attribution import (
    attribution_note,
    cut_note,
    focus_note,
    paths_note,
    prediction_note,
    ranking,
    trust_note,
)
from resviz.figures.captions.gradients import comparison, gradient_note, layer_note, skips_of, sweep_note, verdict
from resviz.figures.captions.inside import apart_note, changed_note, field_note, forming_note, neuron_note, unit_note
from resviz.figures.captions.lab import finding_note, growth_note, lab_note
from resviz.figures.captions.landscape import (
    landscape_claim,
    landscape_note,
    sharpness_note,
    shatter_claim,
    shatter_note,
    similarity_claim,
    similarity_note,
)
from resviz.figures.captions.nets import bottleneck_note, table_note
from resviz.figures.captions.numbers import counted, pace, percent, span
from resviz.figures.captions.stage import norm_answer, stage_note
from resviz.figures.captions.story import chapter_note, chapter_words, outcome_note, story_line
from resviz.figures.captions.tour import (
    AFTER_A_CUT,
    Seen,
    seen_in_depth,
    seen_of_a_cut,
    seen_of_a_map,
    seen_of_the_norm,
    seen_of_the_skips,
)
from resviz.figures.captions.training import beside_the_paper, branch_note, degradation, overfitting

__all__ = [
    "AFTER_A_CUT",
    "Seen",
    "apart_note",
    "attribution_note",
    "beside_the_paper",
    "bottleneck_note",
    "branch_note",
    "changed_note",
    "chapter_note",
    "chapter_words",
    "comparison",
    "counted",
    "cut_note",
    "degradation",
    "field_note",
    "finding_note",
    "focus_note",
    "forming_note",
    "gradient_note",
    "growth_note",
    "lab_note",
    "landscape_claim",
    "landscape_note",
    "layer_note",
    "neuron_note",
    "norm_answer",
    "outcome_note",
    "overfitting",
    "pace",
    "paths_note",
    "percent",
    "prediction_note",
    "ranking",
    "seen_in_depth",
    "seen_of_a_cut",
    "seen_of_a_map",
    "seen_of_the_norm",
    "seen_of_the_skips",
    "sharpness_note",
    "shatter_claim",
    "shatter_note",
    "similarity_claim",
    "similarity_note",
    "skips_of",
    "span",
    "stage_note",
    "story_line",
    "sweep_note",
    "table_note",
    "trust_note",
    "unit_note",
    "verdict",
]
