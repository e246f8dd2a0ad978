"""The app with what a server answers beside its pages; `streamlit run app.py` serves the pages alone."""

import streamlit as st

from resviz.ui import previews

app = st.App("app.py", routes=previews.routes(), middleware=previews.middleware())
