"""What a page leaves in the address bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Address"]


@dataclass
class Address:
    """What the address bar will hold once the page is drawn: the session's network where the page is about it, and `more`."""

    network: bool
    more: dict[str, str] = field(default_factory=dict)
    kept: bool = False

    def add(self, more: Mapping[str, str]) -> None:
        """What the page itself adds to its link."""
        self.more.update(more)

    def keep(self) -> None:
        """It stays as the visitor gave it, because the page could not yet answer."""
        self.kept = True
