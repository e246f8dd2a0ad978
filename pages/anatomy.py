"""What is left when parts are taken away?"""

import streamlit as st

from resviz.ui.page import page

with page("Anatomy") as address:
    from resviz.ui.first import lesions, meanwhile
    from resviz.ui.state import ANATOMY_PARAMETERS

    if meanwhile("anatomy", lesions, usual=not ANATOMY_PARAMETERS & st.query_params.keys()):
        address.keep()
    else:
        from resviz.ui.anatomy import body  # after the first figure, which needs no PyTorch

        body.show(address)
