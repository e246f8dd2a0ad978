"""What is a residual network made of?"""

from resviz.ui.page import page

with page("Build") as address:
    # after the title: figures and pandas take a moment to import
    from resviz.ui import build

    build.show(address)
