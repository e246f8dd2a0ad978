"""The only rooms that know streamlit."""
