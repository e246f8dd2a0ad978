"""What does each block do to your picture?"""

import streamlit as st

from resviz.ui.page import page

with page("Inside") as address:
    from resviz.ui.first import meanwhile, unit
    from resviz.ui.state import INSIDE_PARAMETERS

    if meanwhile("inside", unit, usual=not INSIDE_PARAMETERS & st.query_params.keys()):
        address.keep()
    else:
        from resviz.ui.inside import body  # after the first figure, which needs no PyTorch

        body.show(address)
