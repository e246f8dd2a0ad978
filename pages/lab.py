"""What happens to every layer while a network learns?"""

import streamlit as st

from resviz.ui.page import page

with page("Lab") as address:
    from resviz.spec.lab import PARAMETERS
    from resviz.ui.first import meanwhile, step

    asked = {"lab", "lab.next"} & set(st.session_state) or PARAMETERS & st.query_params.keys()
    if meanwhile("lab", step, usual=not asked):
        address.keep()
    else:
        from resviz.ui.lab import body  # after the first figure, which needs no PyTorch

        body.show(address)
