"""All claims, and the table of what testing them came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from resviz.claims.anatomy import ANATOMY
from resviz.claims.claim import Answer, Claim, Finding
from resviz.claims.depth import DEPTH
from resviz.claims.evidence import Evidence
from resviz.claims.shortcuts import SHORTCUTS
from resviz.claims.travel import SIGNALS_AND_GRADIENTS
from resviz.progress import Tick, quiet

__all__ = ["CLAIMS", "findings", "table"]

CLAIMS: Final[Mapping[str, Claim]] = {claim.key: claim for claim in (*DEPTH, *SIGNALS_AND_GRADIENTS, *ANATOMY, *SHORTCUTS)}


def findings(evidence: Evidence, keys: Sequence[str] = tuple(CLAIMS), tick: Tick = quiet) -> dict[str, Finding]:
    """What each of these claims comes to; raises ValueError naming what is none."""
    if unknown := [key for key in keys if key not in CLAIMS]:
        raise ValueError(f"there is no claim {unknown[0]!r}; choose from {', '.join(CLAIMS)}")
    found = {}
    for n, key in enumerate(keys):
        tick(n / len(keys), CLAIMS[key].says)
        found[key] = CLAIMS[key].measure(evidence)
    tick(1.0)
    return found


def table(found: Mapping[str, Finding]) -> str:
    """A row of Markdown for each claim: what the paper says and where, its number, ours, of what, and whether they agree."""
    heads = ("claim", "source", "the paper's number", "ours", "of", "agrees where", "")
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for key, finding in found.items():
        claim = CLAIMS[key]
        ours = finding.measured or f"– ({finding.why})"
        cells = (claim.says, claim.source, claim.published, ours, finding.of or "–", claim.agrees_where, f"**{finding.answer}**")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    counts = {answer: sum(each.answer is answer for each in found.values()) for answer in Answer}
    return "\n".join([*rows, "", ", ".join(f"{answer}: {count}" for answer, count in counts.items()) + "."])
