"""Does it hold for every design?"""

from resviz.ui.page import page

with page("Sweeps"):
    # after the title: figures and pandas take a moment to import
    from resviz.ui import sweeps

    sweeps.show()
