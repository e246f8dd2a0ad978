"""What a page says of a job is text, whatever the job was called and whatever it says of itself."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

EVIL = "![i](http://e.x/p.png) **bold** `code` :red[red] [Log in](https://e.x)"


def _page(how: str, text: str) -> None:
    import time

    from resviz.progress import Tick
    from resviz.ui.waiting import result_of

    def work(tick: Tick) -> None:
        if how == "fails":
            raise ValueError(text)
        while True:
            tick(0.5, text)
            time.sleep(0.01)

    result_of("place", (how, text), f"Reading {text}" if how != "notes" else "Reading", work)


def words(shown: str) -> str:
    """What Markdown shows of a text in which every mark is escaped; fails where one is not."""
    plain, at = "", 0
    text = shown.replace("\u2060", "")
    while at < len(text):
        assert text[at] not in "*`[]!_<>", f"{text[at]} speaks in {shown!r}"
        at += text[at] == "\\"
        plain, at = plain + text[at], at + 1
    return plain


@pytest.mark.parametrize("how", ["fails", "runs", "notes", "is cancelled"])
def test_a_jobs_words_are_text(how: str) -> None:
    page = AppTest.from_function(_page, args=(how, EVIL), default_timeout=30).run()
    job = page.session_state["jobs"]["place"]
    try:
        if how == "is cancelled":
            job.cancel()
            assert job.wait(5)
            page.run()
        assert not page.exception
        shown = [each.value for each in (*page.error, *page.info)] or [each.proto.text for each in page.get("progress")]
        assert len(shown) == 1
        assert EVIL in words(shown[0])
        assert "://" not in shown[0]
    finally:
        job.cancel()
        job.wait(5)
