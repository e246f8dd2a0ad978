"""What holds for the project as a whole."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st

import resviz

ROOT = Path(__file__).resolve().parents[1]
MODULES = [m.name for m in pkgutil.walk_packages(resviz.__path__, "resviz.") if not m.ispkg and not m.name.endswith("__main__")]


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_exactly_the_public_names(name: str) -> None:
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    defined = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) if not node.name.startswith("_")
    }
    listed = set(module.__all__)
    assert defined <= listed, f"not in __all__: {sorted(defined - listed)}"
    assert all(hasattr(module, entry) for entry in listed)


def test_the_configuration_is_what_the_app_relies_on() -> None:
    assert st.get_option("runner.postScriptGC") is False
    assert st.get_option("browser.gatherUsageStats") is False
    assert st.get_option("server.maxUploadSize") <= 200
    assert st.get_option("client.showErrorDetails") == "none"
    assert st.get_option("client.showSidebarNavigation") is False


def test_what_every_page_opens_with_does_not_import_torch() -> None:
    modules = "frame, diagram, charts, inputs, jobs, controls, cache"
    code = f"from resviz.ui import {modules}; from resviz.figures import *; import resviz.nets.cost, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
