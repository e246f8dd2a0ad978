"""The Sweeps page's plan: what is clicked is what the command reads."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resviz.spec.sweep import PROBES, read_sweep

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page("pages/sweeps.py").run()


def plan(page: AppTest) -> str:
    return next(code.value for code in page.code if "[grid]" in code.value)


def test_the_plan_that_is_clicked_is_the_plan_that_is_run(page: AppTest) -> None:
    page.multiselect(key="sweeps.plan.activation").set_value(["relu", "gelu"])
    page.multiselect(key="sweeps.plan.init").set_value(["kaiming", "zero-gamma", "fixup"])
    page.number_input(key="sweeps.plan.seeds").set_value(2).run()
    text = plan(page)
    assert tomllib.loads(text)["grid"]["activation"] == ["relu", "gelu"]
    runs = read_sweep(text).runs
    assert any(markdown.value.startswith(f"**{len(runs)} trainings**") for markdown in page.markdown)
    assert {dict(run.settings)["activation"] for run in runs} == {"relu", "gelu"}
    assert {run.seed for run in runs} == {0, 1}


@pytest.mark.parametrize("name", ["depth", "skips", "norm", "init", "shortcut", "width", "activation"])
def test_every_choice_of_the_plan_can_be_read(name: str, page: AppTest) -> None:
    for option in page.multiselect(key=f"sweeps.plan.{name}").options:
        changed = page.multiselect(key=f"sweeps.plan.{name}").set_value([option]).run()
        assert not changed.exception
        # what nobody can build is a sentence about the combination, never about an unknown value
        assert option in plan(changed) if not changed.warning else "combination" in changed.warning[0].value


@pytest.mark.parametrize("probe", PROBES)
def test_the_plan_says_what_is_measured(probe: str, page: AppTest) -> None:
    page.selectbox(key="sweeps.plan.probe").set_value(probe).run()
    assert not page.exception
    runs = read_sweep(plan(page)).runs
    assert {(run.probe, run.steps) for run in runs} == {(probe, 0 if probe == "gradients" else 150)}
    things = "networks" if probe == "gradients" else "trainings"
    assert any(markdown.value.startswith(f"**{len(runs)} {things}**") for markdown in page.markdown)
