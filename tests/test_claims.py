"""Claims of papers: each is tested by what it says it is, and the written table is what the command prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resviz.claims import CLAIMS, Answer, Evidence, Finding, findings, table
from resviz.cli import main
from resviz.results import Lesions, PathLengths, RaceRecord
from resviz.spec.lesion import Lesion

DOC = Path(__file__).resolve().parents[1] / "docs" / "science.md"
QUICK = ["degradation", "deeper-better", "deepest-better", "path-share", "half", "exclusive", "highway", "bare", "not-only"]


class Made(Evidence):
    """Evidence of our own making in place of what was measured."""

    def __init__(self, dropped: float = 5.0, wrong: float = 50.0) -> None:
        super().__init__()
        self.dropped, self.wrong = dropped, wrong

    def lesions(self, name: str) -> Lesions:
        errors = {Lesion(dropped=frozenset({f"layer{stage}.0"})): self.dropped + stage for stage in (1, 2, 3)}
        return Lesions(4.0, errors, 100)

    def paths(self, name: str) -> PathLengths:
        norms = np.zeros(55)
        norms[int(self.dropped)] = 1
        return PathLengths(norms, norms, 1.0, 0.0, 54, 64)

    def race(self, name: str) -> RaceRecord:
        found = super().race(name)
        held_out = np.array(found.held_out, np.float64)
        held_out[1:] = self.wrong
        return replace(found, held_out=held_out)


@pytest.mark.parametrize(
    ("key", "evidence", "answer"),
    [
        ("one-branch", Made(dropped=4), Answer.AGREES),
        ("one-branch", Made(dropped=8), Answer.DIFFERS),
        ("downsampling", Made(), Answer.AGREES),
        ("short-paths", Made(dropped=5), Answer.AGREES),
        ("short-paths", Made(dropped=4), Answer.DIFFERS),
        ("half", Made(wrong=60), Answer.AGREES),
        ("half", Made(wrong=1), Answer.DIFFERS),
        ("highway", Made(wrong=1), Answer.AGREES),
        ("highway", Made(wrong=60), Answer.DIFFERS),
        ("bare", Made(wrong=90), Answer.AGREES),
        ("bare", Made(wrong=60), Answer.DIFFERS),
        ("fixup", Made(wrong=60), Answer.AGREES),
        ("fixup", Made(wrong=90), Answer.DIFFERS),
    ],
)
def test_a_claim_agrees_where_it_says_so(key: str, evidence: Evidence, answer: Answer) -> None:
    assert findings(evidence, [key])[key].answer is answer


def test_every_claim_is_whole() -> None:
    assert len(CLAIMS) >= 15
    for claim in CLAIMS.values():
        assert claim.says[0].isupper() or claim.says[0] in "½1", claim.key
        assert any(year in claim.source for year in map(str, range(2015, 2027))), claim.key
        assert claim.published, claim.key


def test_what_is_not_tested_says_why() -> None:
    found = findings(Evidence(), ["edge"])["edge"]
    assert found.answer is Answer.UNTESTED
    assert "full batch" in found.why
    assert "full batch" in table({"edge": found})


def test_without_cifar_its_claims_are_not_tested(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESVIZ_DATA", str(tmp_path))
    found = findings(Evidence(), ["cifar-branch"])["cifar-branch"]
    assert found.answer is Answer.UNTESTED
    assert "--cifar" in found.why


def test_a_row_for_each_and_a_count() -> None:
    found = {"edge": Finding(why="x"), "bare": Finding("a|b", "nets", True), "half": Finding("c", "nets", False)}
    lines = table(found).splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 5
    assert "a\\|b" in table(found)
    assert lines[-1] == "agrees: 1, differs: 1, not tested here: 1."


def test_the_written_table_is_what_is_measured() -> None:
    written = DOC.read_text(encoding="utf-8").splitlines()
    for claim in CLAIMS.values():
        assert any(line.startswith(f"| {claim.says} |") for line in written), claim.key
    for row in table(findings(Evidence(), QUICK)).splitlines()[2:-2]:
        assert row in written


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "science.md"
    assert main(["claims", "--only", "path-share,half", "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["path-share", "half"]
    assert found["half"]["published"] == "12.35 %"
    assert found["half"]["answer"] == "agrees"
    assert CLAIMS["half"].says in out.read_text(encoding="utf-8")
    assert main(["claims", "--only", "path-shore"]) == 2
    assert "there is no claim 'path-shore'" in capsys.readouterr().err
