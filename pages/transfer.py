"""Can it learn your classes from a dozen pictures?"""

from resviz.ui.page import page

with page("Transfer"):
    # after the title: PyTorch takes a moment to import
    from resviz.ui.transfer import body

    body.show()
