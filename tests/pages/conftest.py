"""Pages wait for these on a fresh server; the tests ask what they show afterwards."""

import pytest
import torchvision.models  # noqa: F401 - imported to be there

import resviz.attribution.question  # noqa: F401


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run draws is there once it is over: no browser has to hear of it first."""
    monkeypatch.setattr("resviz.ui.tied._HEARS", 0.0)
