"""A busy server: what is pressed while others compute is not lost."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from resviz.progress import Tick
from resviz.ui.waiting import manager

ROOT = Path(__file__).resolve().parents[2]


def test_start_that_is_pressed_before_the_first_step_is_done_starts() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page("pages/lab.py").run()
    until = time.monotonic() + 60
    while page.session_state["lab"].step < 1 and time.monotonic() < until:
        page.run()
    release = threading.Event()

    def hold(tick: Tick) -> bool:
        return release.wait(60)

    others = [manager().submit(f"another visitor {n}", ("held", n), hold) for n in range(manager().workers)]
    try:
        page.number_input(key="lab.seed").set_value(7).run()
        assert page.session_state["lab"].step == 0
        page.button(key="lab.start").click().run()
    finally:
        release.set()
    assert all(other.wait(60) for other in others)
    while page.session_state["lab"].step < 3 and time.monotonic() < until:
        time.sleep(0.1)
    assert page.session_state["lab"].step >= 3
    page.session_state["lab"].pause(5.0)
