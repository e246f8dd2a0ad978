"""The floor plan's promises."""

import pytest

from tests.house import LIMITS, measured


@pytest.mark.parametrize("name", LIMITS)
def test_the_code_keeps_to_the_plan(name: str) -> None:
    places = measured()[name]
    assert len(places) <= LIMITS[name], places
