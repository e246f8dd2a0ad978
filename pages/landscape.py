"""Is the loss smoother with skips?"""

import streamlit as st

from resviz.ui.page import page

with page("Landscape") as address:
    from resviz.spec.landscape import LANDSCAPE_PARAMETERS
    from resviz.ui.first import landscapes, meanwhile

    if meanwhile("landscape", landscapes, usual=not LANDSCAPE_PARAMETERS & st.query_params.keys()):
        address.keep()
    else:
        from resviz.ui.landscape import body  # after the first figure, which needs no PyTorch

        body.show(address)
