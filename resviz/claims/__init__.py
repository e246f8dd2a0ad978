"""What the papers claim about skip connections, each claim beside what this project's own networks show."""

from resviz.claims.claim import Answer, Claim, Finding, Page
from resviz.claims.evidence import Evidence
from resviz.claims.table import CLAIMS, findings, table

__all__ = ["CLAIMS", "Answer", "Claim", "Evidence", "Finding", "Page", "findings", "table"]
