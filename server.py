"""The app with what a server answers beside its pages; `streamlit run app.py` serves the pages alone."""

import streamlit as st

from resviz.ui import operating, previews

operating.speak()
app = st.App("app.py", routes=[*previews.routes(), *operating.routes()], middleware=previews.middleware())
