"""What can be taken along of a network: its code."""

from __future__ import annotations

import streamlit as st

from resviz.export.code import code, timm_call, torchvision_call
from resviz.spec.families import Network

__all__ = ["code_popover"]

_HEIGHT = 380  # pixels, of which the file may have more


@st.fragment
def code_popover(spec: Network) -> None:
    """A button with the network as one file of PyTorch, and as the call of each library that has it; written when it is opened."""
    with st.popover(
        "Code", icon=":material/code:", help="This network as one file of PyTorch", key="code", on_change="rerun"
    ) as popover:
        if popover.open:
            _code(spec)


def _code(spec: Network) -> None:
    text = code(spec)
    st.caption(
        f"{len(text.splitlines())} lines that need PyTorch alone. `build()` gives this very network, with its cuts and the weights that it begins with here."
    )
    st.code(text, language="python", height=_HEIGHT)
    st.download_button("Download", text, "net.py", "text/x-python", icon=":material/download:", on_click="ignore")
    if calls := [call for call in (torchvision_call(spec), timm_call(spec)) if call]:
        st.caption("The same layers from a library, which draws other weights:")
        st.code("\n".join(calls), language="python", wrap_lines=True)
