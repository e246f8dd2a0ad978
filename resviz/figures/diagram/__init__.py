"""The block diagram: He et al.'s figures 3 and 5 as a list of shapes, and that list as SVG text.

A `Diagram` is plain data, drawn from a layer table's rows alone: what belongs together says `LayerRow.unit` and `stage`, what is
branch and what is skip says `path`. The page's component draws it and adds the clicks; `to_svg` writes the same shapes to a file.
"""

from resviz.figures.diagram.block import block_diagram, one_box
from resviz.figures.diagram.network import network_diagram
from resviz.figures.diagram.shapes import WORDS, Diagram, Shape
from resviz.figures.diagram.svg import STYLE, to_svg

__all__ = ["STYLE", "WORDS", "Diagram", "Shape", "block_diagram", "network_diagram", "one_box", "to_svg"]
