"""Which pixels decided?"""

import streamlit as st

from resviz.ui.page import page

with page("Explain") as address:
    from resviz.ui.first import explanation, meanwhile
    from resviz.ui.state import EXPLAIN_PARAMETERS

    if meanwhile("explain", explanation, usual=not EXPLAIN_PARAMETERS & st.query_params.keys()):
        address.keep()
    else:
        from resviz.ui.explain import body  # after the first figure, which needs no PyTorch

        body.show(address)
