from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def opened(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    return at.switch_page(page).run() if page != "app.py" else at.run()


@pytest.mark.parametrize(
    "page", ["app.py", "pages/build.py", "pages/gradients.py", "pages/degradation.py", "pages/lab.py", "pages/explain.py"]
)
def test_page_runs(page: str) -> None:
    at = opened(page)
    assert not at.exception
    assert not at.error


def test_a_hostile_query_gives_the_default_and_one_notice() -> None:
    at = opened("pages/build.py", blocks="9999999-1", evil="<script>")
    assert not at.exception
    assert len(at.warning) == 1
    assert "ResNet-56" in at.markdown[2].value


def test_a_link_rebuilds_the_network() -> None:
    at = opened("pages/build.py", blocks="2-2-2", cut="1.1")
    assert any("1 skip cut" in markdown.value for markdown in at.markdown)
