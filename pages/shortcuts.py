"""Why the identity and not something else?"""

from resviz.ui.page import page

with page("Shortcuts") as address:
    # after the title: figures take a moment to import
    from resviz.ui import shortcuts

    shortcuts.show(address)
