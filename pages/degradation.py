"""Why did deeper networks train worse?"""

from resviz.ui.page import page

with page("Degradation"):
    # after the title: figures and pandas take a moment to import
    from resviz.ui import degradation

    degradation.show()
