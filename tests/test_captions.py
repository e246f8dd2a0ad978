"""Captions of many networks, each against numbers computed anew; the same on the page and the command line."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import torchvision.models  # noqa: F401 - the page says what was shipped until it is there
from streamlit.testing.v1 import AppTest

import resviz.attribution.question  # noqa: F401 - likewise
from resviz.cli import main
from resviz.figures.theme import number
from resviz.judgement import FACTOR, FLOOR
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.spec.query import to_query, to_query_string
from tests.captions import SETTINGS, naive, said

APP = str(Path(__file__).resolve().parents[1] / "app.py")


def test_there_are_settings_enough_of_every_kind() -> None:
    assert len(SETTINGS) >= 40
    assert set(SETTINGS.values()) == {"level", "explodes", "vanishes", "gone", "zero", "bypassed"}


@pytest.mark.parametrize("spec", SETTINGS, ids=describe)
def test_a_caption_says_what_the_numbers_say(spec: NetSpec) -> None:
    note, judged = said(spec)
    norms, loss = naive(spec)
    assert judged.kind == SETTINGS[spec]
    convs = {name: norm for name, norm in norms.items() if name != "fc"}
    for name, norm in (judged.first, judged.reference, judged.smallest, judged.largest):
        assert norm == pytest.approx(convs[name], rel=1e-2, abs=1e-43)
    assert judged.loss == pytest.approx(loss, rel=1e-3)
    zeros = {name for names in judged.zeros.values() for name in names}
    assert zeros == {name for name, norm in convs.items() if norm == 0}
    alive = {name: norm for name, norm in convs.items() if norm > 0 and name not in zeros}
    _kind_follows(judged.kind, alive)
    for count in re.findall(r"([\d,]+) convolutions? gets? exactly 0", note):
        assert int(count.replace(",", "")) in {len(names) for names in judged.zeros.values()}
    if judged.kind in ("level", "vanishes", "explodes"):
        for value in (judged.first[1], judged.reference[1], judged.ratio):
            assert number(value) in note
        assert f"`{judged.reference[0]}`" in note
        assert judged.reference[0] == [name for name in alive if "downsample" not in name][-1]
    assert ("run away" in note) == (loss > 3 * judged.guess)


def _kind_follows(kind: str, alive: dict[str, float]) -> None:
    """The kind's own definition, written down again."""
    values = list(alive.values())
    if kind == "gone":
        assert sorted(values)[len(values) // 2] <= FLOOR
    elif kind in ("vanishes", "explodes", "level"):
        ratio = values[0] / values[-1]
        assert max(values) > FLOOR
        assert (ratio < 1 / FACTOR, ratio > FACTOR) == (kind == "vanishes", kind == "explodes")
    else:
        assert len(alive) == {"zero": 0, "bypassed": 1}[kind]


CHOSEN = [spec for n, spec in enumerate(SETTINGS) if n % 9 == 1]


@pytest.mark.parametrize("spec", CHOSEN, ids=describe)
def test_the_page_says_what_the_command_line_says(spec: NetSpec, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradients", to_query_string(spec) or "resnet56"]) == 0
    printed = capsys.readouterr().out.splitlines()[-1]
    note = printed.partition(" px. ")[2]
    assert note == said(spec)[0].replace("**", "").replace("`", "")
    at = AppTest.from_file(APP, default_timeout=120)
    for key, value in to_query(spec).items():
        at.query_params[key] = value
    at = at.switch_page("pages/gradients.py").run()
    for _ in range(300):
        # there are none where all was measured before
        if "jobs" not in at.session_state or not any(job.live for job in at.session_state["jobs"].values()):
            break
        time.sleep(0.1)
    at.run()
    assert not at.exception
    assert any(note in markdown.value.replace("**", "").replace("`", "") for markdown in at.markdown)
