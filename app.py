"""Home: the story in short, one live figure, and ways into each page."""

from resviz.ui.page import page

with page("Home"):
    # after the title: what the title needs is less
    from resviz.ui.home.body import show

    show()
