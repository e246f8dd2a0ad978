"""Where what is no Python of the package lies: beside it in a checkout, inside it once it is installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["asset", "root"]


@cache
def root() -> Path:
    """The folder that holds `app.py`, `server.py`, `pages`, `assets` and `.streamlit`."""
    package = Path(__file__).resolve().parent
    installed = package / "project"  # pyproject.toml puts it there
    return installed if installed.is_dir() else package.parent


def asset(*parts: str) -> Path:
    """A file or folder under `assets`."""
    return root().joinpath("assets", *parts)
