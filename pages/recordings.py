"""What happened while it learned?"""

from resviz.ui.page import page

with page("Recordings") as address:
    # after the title: figures and pandas take a moment to import
    from resviz.ui import recordings

    recordings.show(address)
