"""What holds for the project as a whole."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
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
    """A page's frame, its first figure, and the whole of the pages that compute nothing."""
    modules = "page, first, home, build, degradation, recordings, cache, waiting, state"
    more = "resviz.ui.components.chart, resviz.ui.components.diagram, resviz.ui.components.evidence, resviz.ui.widgets.pickers"
    code = f"from resviz.ui import {modules}; import resviz.nets.cost, {more}, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_pages_only_place_what_the_ui_draws() -> None:
    """The import checker keeps the floors of packages; `app.py` is none, and pages are thin."""
    for path in (ROOT / "app.py", *(ROOT / "pages").glob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        assert all(name and name.startswith(("resviz.ui", "resviz.spec", "streamlit")) for name in names), path.name
        assert not [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)], path.name


def test_every_task_that_is_written_down_is_walked() -> None:
    rows = [
        line.split("|") for line in (ROOT / "docs/tasks.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    walked = [re.findall(r"`(test_\w+)`", row[-2]) for row in rows[1:]]
    journeys = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/e2e").glob("test_*.py"))
    assert len(walked) == 10
    assert all(names and all(f"\ndef {name}(" in journeys for name in names) for names in walked)
