"""A copy of the project with each of its assets in turn missing or cut: every page opens and says which."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resviz.ui.pages import PAGES

ROOT = Path(__file__).resolve().parents[2]
# in the copy, in a process of its own: each asset is damaged, the pages are opened, the asset is put back
VISIT = """
import json, logging, shutil, sys, time
from pathlib import Path
import torchvision.models, resviz.attribution.question  # pages wait for these on a fresh server
import streamlit as st
from streamlit.testing.v1 import AppTest

logging.disable(logging.ERROR)
pages, found = json.loads(sys.argv[1]), []
concern = {"checkpoints": ["pages/explain.py"], "digits": ["pages/anatomy.py"], "sweeps": ["pages/sweeps.py"]}
for asset in sorted(path for path in Path("assets").rglob("*") if path.is_file() and path.parent.name != "first" and path.suffix != ".toml"):
    if asset.parent.name == "digits" and not asset.name.startswith("plain20-digits-2."):
        continue  # one of fifteen
    whole = asset.read_bytes()
    concerned = concern.get(asset.parent.name, ["pages/degradation.py"])
    for kind in ("missing", "cut", "nonsense"):
        asset.unlink() if kind == "missing" else asset.write_bytes(
            whole[: len(whole) * 2 // 3] if kind == "cut" else b"nonsense {")
        st.cache_resource.clear()
        st.cache_data.clear()
        for page in pages if asset.suffix == ".css" and kind == "missing" else concerned:
            at = AppTest.from_file("app.py", default_timeout=120)
            at.query_params["methods"] = "saliency"  # the quickest
            at = at.switch_page(page).run() if page != "app.py" else at.run()
            said = [element.value.replace(chr(92), "") for element in [*at.error, *at.warning, *at.info]]
            found.append([str(asset), kind, page, [e.message for e in at.exception], said, [t.value for t in at.title]])
        asset.write_bytes(whole)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> list[list[object]]:
    copy = tmp_path_factory.mktemp("project")
    for name in ("resviz", "pages", "assets", ".streamlit", "app.py"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    done = subprocess.run(
        [sys.executable, "-c", VISIT, json.dumps([page.file for page in PAGES])],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_page_opens(visits: list[list[object]]) -> None:
    assert len(visits) > 50
    assert [visit for visit in visits if visit[3] or not visit[5]] == []


def test_the_file_is_named(visits: list[list[object]]) -> None:
    silent = [visit[:3] for visit in visits if not any(Path(str(visit[0])).stem in text for text in visit[4])]
    # a card that is gone is no loss where the weights hold it too
    cards = {"digits/plain20-digits-2": "anatomy", "resnet10-tinyimagenet": "explain"}
    assert sorted(silent) == [[f"assets/checkpoints/{name}.json", "missing", f"pages/{page}.py"] for name, page in cards.items()]
