"""Pictures of results: plotly figures and SVG text. They know specs and results alone."""
