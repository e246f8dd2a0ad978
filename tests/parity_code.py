"""`python -m tests.parity code`: every preset's file of code beside the network, at its full size; the suite compares slim ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from resviz.export.code import code
from resviz.spec.choices import Init
from resviz.spec.families import ALL_PRESETS, Network
from tests.test_code import differing, tidy

__all__ = ["compare"]


def _changed(spec: Network) -> Iterator[tuple[str, Network]]:
    """The preset, with some skips cut and all, without norm and with zero-γ, as far as its family has them."""
    yield "all skips", spec
    names = list(spec.block_names())
    for what, change in {
        "some cut": {"cut": frozenset(names[1::2])},
        "all cut": {"cut": frozenset(names)},
        "no norm": {"norm": type(spec.norm)("none")},
        "zero-γ": {"init": Init.ZERO_GAMMA},
    }.items():
        if "cut" in change and not spec.residual:
            continue
        try:
            yield what, replace(spec, **change)
        except ValueError:  # a family without that choice
            continue


def compare() -> list[str]:
    """Print for each preset whether its files give the same logits to the bit, and their longest; which differ."""
    wrong = []
    for name, preset in ALL_PRESETS.items():
        nets = {f"{name}, {what}": spec for what, spec in _changed(preset)}
        with tempfile.TemporaryDirectory() as folder:
            files = {label.replace(", ", "_").replace(" ", "_").replace("-", "_"): spec for label, spec in nets.items()}
            said = differing(files, Path(folder)) + tidy(Path(folder))
        longest = max(len(code(spec).splitlines()) for spec in nets.values())
        changes = ", ".join(label.partition(", ")[2] for label in nets)
        print(f"{name:22} {'DIFFERS' if said else 'equal'}, at most {longest} lines: {changes}", flush=True)
        wrong += [f"{name} ({said.strip()})"] if said or longest > 150 else []
    return wrong
