"""What is claimed of every input, whatever its door."""

from __future__ import annotations

__all__ = ["BrokenClaim", "sentence"]


class BrokenClaim(AssertionError):
    """An answer that is none: no sentence, or what was read is not what a reader promises."""


def sentence(text: object) -> str:
    """The text, where it is one line that a visitor can read; raises `BrokenClaim`."""
    line = str(text)
    if not line.strip() or len(line) > 1000 or not line.isprintable() or "Traceback" in line or " object at 0x" in line:
        raise BrokenClaim(f"no sentence: {line[:300]!r}")
    return line
