"""Figures as a paper prints them: a column wide, type of its size, vectors, and without colours where it is printed so."""

from resviz.figures.paper.chart import chart_csv, chart_file
from resviz.figures.paper.cite import bibtex
from resviz.figures.paper.diagram import card_file, diagram_file
from resviz.figures.paper.drawn_by_plotly import has_chrome, plotly_file
from resviz.figures.paper.maps import Maps, maps_file, maps_npz
from resviz.figures.paper.sheet import FORMATS, WIDTHS, Paper

__all__ = [
    "FORMATS",
    "WIDTHS",
    "Maps",
    "Paper",
    "bibtex",
    "card_file",
    "chart_csv",
    "chart_file",
    "diagram_file",
    "has_chrome",
    "maps_file",
    "maps_npz",
    "plotly_file",
]
