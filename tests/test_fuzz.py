"""A small part of `make fuzz`: a few hundred inputs to every door, and that a claim which fails is found."""

from __future__ import annotations

import pytest

from tests.fuzz import run
from tests.fuzz.run import COUNTS, fuzz


def test_every_door_keeps_its_claims() -> None:
    counts = {door: count // 20 for door, count in COUNTS.items()}
    answers = fuzz(1, counts, 300.0)
    assert len(answers) == sum(counts.values())
    assert not [answer for answer in answers if answer.fault]
    assert {door: sum(answer.door == door for answer in answers) for door in counts} == counts


def test_each_broken_claim_is_found_and_laid_to_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE", 4.0)
    answers = sorted(fuzz(0, {"broken": 10}, 200.0), key=lambda answer: answer.index)
    (again,) = fuzz(0, {"broken": 10}, 200.0, only=8)
    found = {answer.index: (answer.how, answer.fault) for answer in answers}
    assert [found[n] for n in (0, 8, 9)] == [("read", ""), ("refused", ""), ("read", "")]
    assert found[1] == found[2] == ("foreign", "foreign")
    assert found[3] == ("hung", "slow")
    assert found[4] == ("read", "large")
    assert found[5] == ("died", "foreign")
    assert found[6] == ("read", "canary")
    assert "large" in found[7][1]
    assert (again.about, again.how, again.words) == (answers[8].about, "refused", "One clear sentence.")
