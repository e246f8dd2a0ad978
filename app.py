"""Home: the story in short, one live figure, and ways into each page."""

from resviz.ui.page import page

with page("Home"):
    # after the title: figures and pandas take a moment to import
    from resviz.ui import home

    home.show()
