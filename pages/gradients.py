"""What does a skip connection do to the gradient?"""

from resviz.ui.page import network_strip, page

with page("Gradients"):
    from resviz.spec.net import NetSpec
    from resviz.ui.first import meanwhile, profiles
    from resviz.ui.state import current_spec

    if not meanwhile("gradients", profiles, usual=current_spec() == NetSpec(), above=network_strip):
        from resviz.ui import gradients  # after the first figure, which needs no PyTorch

        gradients.show()
