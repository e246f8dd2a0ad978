"""A click that comes before the browser has heard of a change does not take the change back."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def app() -> None:
    import streamlit as st

    from resviz.ui.tied import seen, tied

    state = st.session_state
    state.setdefault("value", 3)
    st.number_input("Number", 0, 9, **tied("number", state.value, lambda value: state.update(value=value)))
    st.selectbox(
        "Name",
        ["a", "b"],
        index=None,
        **tied("name", state.get("said"), lambda value: state.update(said=value), lambda: state.update(cleared=True)),
    )
    st.button("Nine", on_click=lambda: state.update(value=9))
    st.button("Another")
    if not state.get("busy"):
        seen()


# a run cut short by the next click; one that is over, which the browser has not heard of; one that it has
@pytest.mark.parametrize(("busy", "hears"), [(True, 0.0), (False, 60.0), (False, 0.0)])
def test_what_stood_in_a_widget_is_a_choice_once_the_browser_has_heard_of_the_change(
    busy: bool, hears: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resviz.ui.tied._HEARS", hears)
    page = AppTest.from_function(app).run()
    page.session_state.busy = busy
    page.button[0].click().run()
    assert page.number_input[0].value == 9
    page.number_input[0].set_value(3)
    page.button[1].click().run()
    assert page.number_input[0].value == page.session_state.value == (9 if busy or hears else 3)
    page.number_input[0].set_value(5).run()
    assert page.session_state.value == 5


def test_choosing_nothing_is_a_choice_where_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resviz.ui.tied._HEARS", 0.0)
    page = AppTest.from_function(app).run()
    page.session_state.said = "a"
    page.run()
    assert "cleared" not in page.session_state
    page.selectbox[0].set_value(None).run()
    assert page.session_state.cleared
