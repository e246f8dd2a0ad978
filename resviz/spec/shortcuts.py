"""What else a skip could be: the contenders of the Shortcuts page, each with what its paper measured."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from resviz.spec.lab import MOST, LabPlan
from resviz.spec.net import Block, BranchScale, Carry, Init, NetSpec, Norm, Shortcut, SpecError
from resviz.spec.presets import cifar_blocks

__all__ = [
    "DEPTHS",
    "KINDS",
    "RACES",
    "RACE_PARAMETERS",
    "STEPS",
    "Kind",
    "Race",
    "Start",
    "lost",
    "race_plan",
    "start_from_query",
    "start_to_query",
]

DEPTHS: Final = (20, 32, 56, 110)
STEPS: Final = (60, 150, 300)
_HE: Final = "He et al. 2016, arXiv 1603.05027, Table 1: ResNet-110, CIFAR-10 test error"
_ORDERS: Final = "He et al. 2016, arXiv 1603.05027, Table 2: ResNet-110, CIFAR-10 test error"


@dataclass(frozen=True)
class Kind:
    """One contender: its formula, in what its spec differs from the race's own network, and the published number, where one is known.

    `published` is in words, since some papers say "fails"; `source` names the paper, and the net and the data that it is of.
    """

    title: str
    changes: Mapping[str, object] = field(hash=False)
    published: str = "none"
    source: str = ""

    @property
    def error(self) -> float | None:
        """The published error in percent, infinite where the paper says that it fails; None where there is no such number."""
        if self.published.startswith("fails"):
            return math.inf
        found = re.match(r"(?:about )?(\d+\.\d+) %(?! against)", self.published)
        return float(found[1]) if found else None


KINDS: Final[Mapping[str, Kind]] = {
    "identity": Kind("x + F", {}, "6.61 %", _HE),
    "half": Kind("½x + ½F", {"carry": Carry.HALF}, "12.35 %", _HE),
    "half-skip": Kind("½x + F", {"carry": Carry.HALF_SKIP}, "fails: over 20 %", _HE),
    "exclusive": Kind("(1−g)x + gF", {"carry": Carry.EXCLUSIVE}, "8.70 % (gate bias −6)", _HE),
    "gated": Kind("(1−g)x + F", {"carry": Carry.GATED}, "6.91 % (gate bias −6)", _HE),
    "gated-0": Kind("(1−g)x + F, gate bias 0", {"carry": Carry.GATED, "gate": 0}, "12.86 %", _HE),
    "projection": Kind("1×1 conv of x, + F", {"shortcut": Shortcut.C}, "12.22 %", _HE),
    "dropout": Kind("dropout ½ of x, + F", {"carry": Carry.DROPOUT}, "fails: over 20 %", _HE),
    "preact": Kind("BN-ReLU-conv-BN-ReLU-conv, + x", {"block": Block.PREACT_BASIC}, "6.37 %", _ORDERS),
    "original": Kind("conv-BN-ReLU-conv-BN, + x, ReLU", {}, "6.61 %", _ORDERS),
    "norm-after": Kind("conv-BN-ReLU-conv, + x, BN-ReLU", {"block": Block.NORM_AFTER_BASIC}, "about 8.17 %", _ORDERS),
    "relu-before": Kind("conv-BN-ReLU-conv-BN-ReLU, + x", {"block": Block.RELU_BEFORE_BASIC}, "about 7.84 %", _ORDERS),
    "relu-only": Kind("ReLU-conv-BN-ReLU-conv-BN, + x", {"block": Block.RELU_ONLY_BASIC}, "about 6.71 %", _ORDERS),
    "norm": Kind(
        "x + F with batch norm",
        {"norm": Norm.BATCH},
        "6.61 %",
        "Zhang et al. 2019, arXiv 1901.09321: ResNet-110, CIFAR-10, about",
    ),
    "bare": Kind("x + F", {}, "none", ""),
    "fixup": Kind("Fixup", {"init": Init.FIXUP}, "7.24 %", "Zhang et al. 2019, arXiv 1901.09321: ResNet-110, CIFAR-10, about"),
    "learned": Kind(
        "x + αF, α from 0",
        {"scale": BranchScale.LEARNED},
        "trains at 1,000 layers",
        "De & Smith 2020, arXiv 2002.10444 (SkipInit)",
    ),
    "depth": Kind(
        "x + F/√blocks",
        {"scale": BranchScale.DEPTH},
        "gradients stay bounded",
        "Hayou et al. 2021, arXiv 2010.12859 (Stable ResNet), about",
    ),
    "survival": Kind(
        "stochastic depth to 50 %",
        {"survival": 50},
        "5.25 % against 6.41 %",
        "Huang et al. 2016, arXiv 1603.09382: ResNet-110, CIFAR-10",
    ),
}


@dataclass(frozen=True)
class Race:
    """Contenders that differ in one thing, on one network."""

    title: str
    kinds: tuple[str, ...]
    base: NetSpec
    lr: float


RACES: Final[Mapping[str, Race]] = {
    "skip": Race(
        "What the skip carries",
        ("identity", "half", "half-skip", "exclusive", "gated", "projection"),
        NetSpec(blocks=cifar_blocks(56), in_channels=1),
        0.02,
    ),
    "order": Race(
        "Where BN and ReLU stand",
        ("preact", "original", "norm-after", "relu-before", "relu-only"),
        NetSpec(blocks=cifar_blocks(56), in_channels=1),
        0.02,
    ),
    "noise": Race(
        "What is left to chance",
        ("identity", "dropout", "survival", "gated-0"),
        NetSpec(blocks=cifar_blocks(56), in_channels=1),
        0.02,
    ),
    "branch": Race(
        "What replaces the norm",
        ("norm", "bare", "fixup", "learned", "depth"),
        NetSpec(blocks=cifar_blocks(56), in_channels=1, norm=Norm.NONE),
        0.05,
    ),
}


@dataclass(frozen=True)
class Start:
    """What is to run: some of a race's contenders, how deep, how long, and from which seed."""

    race: str = "skip"
    kinds: tuple[str, ...] = RACES["skip"].kinds
    depth: int = 56
    steps: int = 150
    seed: int = 0

    @property
    def plan(self) -> LabPlan:
        """As the lab runs it."""
        return race_plan(self.race, self.kinds, self.depth, self.seed, self.steps)


RACE_PARAMETERS: Final = frozenset({"race", "who", "layers", "last", "draw"})


def start_to_query(start: Start) -> dict[str, str]:
    """As query parameters: race=branch, who=norm.fixup, layers=110, last=300, draw=1; what is usual is left out."""
    query = {} if start.race == Start().race else {"race": start.race}
    if start.kinds != RACES[start.race].kinds:
        query["who"] = ".".join(start.kinds)
    usual = Start()
    for name, value, other in (("layers", start.depth, usual.depth), ("last", start.steps, usual.steps), ("draw", start.seed, 0)):
        if value != other:
            query[name] = str(value)
    return query


def start_from_query(query: Mapping[str, str]) -> Start:
    """Never raises: what is none of the choices is as usual."""
    race = query.get("race", "")
    race = race if race in RACES else Start().race
    known = RACES[race].kinds
    named = query.get("who", "").split(".")
    kinds = tuple(kind for kind in known if kind in named) or known

    def whole(name: str, usual: int) -> int:
        found = _whole(query.get(name, ""))
        return usual if found is None else found

    depth, steps, seed = whole("layers", 56), whole("last", 150), whole("draw", 0)
    return Start(race, kinds, depth if depth in DEPTHS else 56, steps if steps in STEPS else 150, seed)


def lost(query: Mapping[str, str], start: Start) -> dict[str, str]:
    """What of a query's parameters the start does not hold, because it is none of the choices."""
    numbers = {"layers": start.depth, "last": start.steps, "draw": start.seed}
    named = {name: query[name] for name in numbers if name in query and _whole(query[name]) != numbers[name]}
    if query.get("race", start.race) != start.race:
        named["race"] = query["race"]
    strange = [kind for kind in query.get("who", start.kinds[0]).split(".") if kind not in start.kinds]
    return named | ({"who": ",".join(strange)} if strange else {})


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def race_plan(race: str, kinds: tuple[str, ...], depth: int = 56, seed: int = 0, steps: int = 150) -> LabPlan:
    """The lab's plan for some of a race's contenders; raises `SpecError` naming what is none and the remedy."""
    if race not in RACES:
        raise SpecError(f"{race!r} is no race; choose one of {', '.join(RACES)}")
    about = RACES[race]
    if unknown := [kind for kind in kinds if kind not in about.kinds]:
        raise SpecError(f"{unknown[0]!r} is no contender of {race}; choose from {', '.join(about.kinds)}")
    if not 1 <= len(kinds) <= MOST:
        raise SpecError(f"a race has 1 to {MOST} contenders, got {len(kinds)}; choose fewer")
    base = replace(about.base, blocks=cifar_blocks(depth), seed=seed)
    contenders = tuple(base.resized(**KINDS[kind].changes) for kind in kinds)
    return LabPlan(contenders, lr=about.lr, seed=seed, steps=steps)
