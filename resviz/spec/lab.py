"""What the lab runs, as one frozen value that a URL can hold: contenders, data, seed, rate, and what was changed when."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

from resviz.spec.datasets import DATASETS
from resviz.spec.families import Network, things_of
from resviz.spec.fields import place
from resviz.spec.names import describe
from resviz.spec.net import SpecError
from resviz.spec.query import from_query, to_query_string

__all__ = [
    "ENDLESS",
    "LETTERS",
    "MOST",
    "PARAMETERS",
    "Change",
    "Edit",
    "LabPlan",
    "Rate",
    "fitting_data",
    "labels_of",
    "plan_from_query",
    "plan_to_query",
]

LETTERS: Final = "abcdef"
MOST: Final = len(LETTERS)  # contenders
Rate = Literal["lr", "clip"]  # what a number changes
Change = Literal["cut", "restore"] | Rate


@dataclass(frozen=True)
class Edit:
    """A change to the running lab that takes effect from `step` on.

    `what` is "cut" or "restore" (of `block`'s skip in contender number `contender`), "lr" or "clip" (to `value`; a clip of
    0 is none).
    """

    step: int
    what: Change
    contender: int = 0
    block: str = ""
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.what not in ("cut", "restore", "lr", "clip") or self.step < 1:
            raise SpecError(f"an edit is cut, restore, lr or clip at a step from 1, got {self.what!r} at {self.step}")


@dataclass(frozen=True)
class LabPlan:
    """Up to six networks that learn in lockstep from the same batches: SGD with momentum 0.9.

    `clip` is the largest total gradient norm (0: not clipped). `steps` is how far a replay goes; 0 has no end. Of points, `noise` is
    how much they are scattered and `share` how many of them are learned from, both in percent.
    Raises `SpecError` for a value that cannot be run.
    """

    contenders: tuple[Network, ...]
    data: str = "digits"
    lr: float = 0.02
    clip: float = 0.0
    batch: int = 64
    seed: int = 0
    steps: int = 0
    noise: int = 0
    share: int = 50
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.contenders) <= len(LETTERS):
            raise SpecError(f"the lab takes 1 to {len(LETTERS)} contenders, got {len(self.contenders)}; remove some")
        if self.data not in DATASETS:
            raise SpecError(f"data must be one of {', '.join(DATASETS)}, got {self.data!r}")
        if self.data not in (fits := fitting_data(self.contenders)):
            one = self.contenders[0].title
            raise SpecError(
                f"data={self.data} does not fit {one}, which learns from {', '.join(fits)}; choose one of these, or other networks"
                if fits
                else f"{' and '.join(spec.title for spec in self.contenders)} share no data: one reads {', another '.join(sorted({things_of(spec) for spec in self.contenders}))}"
            )
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise SpecError(f"{name} must be from {low:g} to {high:g}, got {value:g}; choose a value in that range")
        _check_edits(self.edits, [set(spec.block_names()) for spec in self.contenders])

    def specs_at(self, step: int) -> tuple[Network, ...]:
        """The contenders as they are while `step` runs, every edit up to it applied."""
        cuts = [set(spec.cut) for spec in self.contenders]
        for edit in self.edits:
            if edit.what in ("cut", "restore") and edit.step <= step:
                change = cuts[edit.contender].add if edit.what == "cut" else cuts[edit.contender].discard
                change(edit.block)
        pairs = zip(self.contenders, map(frozenset, cuts), strict=True)
        return tuple(spec if cut == spec.cut else replace(spec, cut=cut) for spec, cut in pairs)

    def value_at(self, what: Rate, step: int) -> float:
        """The "lr" or the "clip" that `step` runs with."""
        value: float = getattr(self, what)
        for edit in self.edits:
            if edit.what == what and edit.step <= step:
                value = edit.value
        return value


def _check_edits(edits: Iterable[Edit], blocks: Sequence[Set[str]]) -> None:
    """Raises `SpecError` for a change to a block that its contender, whose `blocks` are given, does not have."""
    for edit in edits:
        if edit.what in ("cut", "restore") and (edit.contender >= len(blocks) or edit.block not in blocks[edit.contender]):
            raise SpecError(f"an edit names {edit.block!r} of contender {edit.contender + 1}, which this lab does not have")


ENDLESS: Final = 1_000_000  # the last step of a run that nobody ends
_RANGES: Final = (
    ("lr", 1e-6, 10.0),
    ("clip", 0.0, 1e6),
    ("batch", 2, 512),
    ("seed", 0, 2**31 - 1),
    ("steps", 0, ENDLESS),
    ("noise", 0, 50),
    ("share", 10, 90),
)


def fitting_data(specs: Sequence[Network]) -> tuple[str, ...]:
    """The data sets that all of these networks can learn from, the usual one first; empty where there is none."""
    things = {things_of(spec) for spec in specs}
    found = [name for name, data in DATASETS.items() if things == {data.things}]
    return tuple(sorted(found, key=lambda name: name != "plane-spirals"))


def labels_of(specs: Sequence[Network]) -> tuple[str, ...]:
    """A short name for each: the network's, and the words in which it differs from the others."""
    words = [describe(replace(spec, cut=frozenset(), dropped=frozenset())).split(" · ") for spec in specs]
    common = set.intersection(*(set(own[1:]) for own in words)) if words else set()
    apart = [[spec.title, *(word for word in own[1:] if word not in common)] for spec, own in zip(specs, words, strict=True)]
    if len({own[0] for own in apart}) == len(apart):
        apart = [own[:1] for own in apart]
    names = [" · ".join(own) for own in apart]
    return tuple(name if names.count(name) == 1 else f"{name} ({LETTERS[i].upper()})" for i, name in enumerate(names))


_NUMBERS: Final[Mapping[str, Callable[[str], float]]] = {
    "lr": float,
    "clip": float,
    "batch": int,
    "steps": int,
    "noise": int,
    "share": int,
}
PARAMETERS: Final = frozenset({*LETTERS, *_NUMBERS, "data", "lab_seed", "edits"})
_EDIT = re.compile(
    r"(\d{1,7}):(?:(cut|restore):([a-f]):([1-9]\d*\.\d+|(?:0|[1-9]\d*|[a-z]{1,8}\d?)\.[a-z]+|[a-z]{1,8}\d?\.\d+)|(lr|clip):([-+.e\d]{1,25}))",
    re.ASCII,
)
_MOST_EDITS = 500


def plan_to_query(plan: LabPlan) -> dict[str, str]:
    """The plan as query parameters; a contender is its spec's own query, numbers at their default are left out."""
    query = {letter: to_query_string(spec) or "net=resnet56" for letter, spec in zip(LETTERS, plan.contenders, strict=False)}
    for name in ("data", *_NUMBERS):
        if (value := getattr(plan, name)) != _DEFAULTS[name]:
            query[name] = _exact(value) if isinstance(value, float) else str(value)
    if plan.seed:
        query["lab_seed"] = str(plan.seed)
    if plan.edits:
        query["edits"] = ",".join(map(_edit_to_text, plan.edits))
    return query


def plan_from_query(query: Mapping[str, str]) -> tuple[LabPlan | None, tuple[str, ...]]:
    """Read a plan; None where the query holds no contender. What cannot be read is left out and named in the second value."""
    problems: list[str] = []
    specs = []
    for letter in LETTERS:
        if letter in query:
            spec, trouble = from_query(query[letter])
            specs.append(spec)
            problems += trouble if query[letter] else [f"{letter} is empty, so that it is the usual {spec.title}"]
    if not specs:
        alone = ", ".join(sorted(PARAMETERS & query.keys()))
        return None, (f"{alone} without a network, which a link names as a=net=resnet20",) if alone else ()
    changes: dict[str, Any] = {}
    readers: dict[str, Callable[[str], float | str]] = {**_NUMBERS, "data": str, "lab_seed": int}
    for name, read in readers.items():
        if name in query:
            try:
                changes["seed" if name == "lab_seed" else name] = read(query[name][:40])
            except ValueError:
                problems.append(f"{name}={query[name][:40]!r} cannot be read")
    if not (fits := fitting_data(specs)):
        problems.append(f"{specs[0].title} and the others share no data, and it is left alone")
        specs = specs[:1]
        fits = fitting_data(specs)
    plan = LabPlan(tuple(specs), fits[0])
    for name, value in changes.items():
        try:
            plan = replace(plan, **{name: value})
        except SpecError as error:
            problems.append(str(error))
    edits, unread = _edits_from_text(query.get("edits", ""), [set(spec.block_names()) for spec in specs])
    return replace(plan, edits=tuple(sorted(edits, key=lambda edit: edit.step))), (*problems, *unread)


def _edits_from_text(given: str, blocks: Sequence[Set[str]]) -> tuple[list[Edit], list[str]]:
    edits, problems = [], []
    texts = given.split(",")
    if len(texts) > _MOST_EDITS:
        problems.append(f"it holds {len(texts):,} edits, of which the first {_MOST_EDITS} are kept")
    for text in filter(None, texts[:_MOST_EDITS]):
        try:
            edit = _edit_from_text(text, blocks)
            _check_edits([edit], blocks)
            edits.append(edit)
        except SpecError as error:
            problems.append(str(error))
    return edits, problems


def _exact(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _edit_to_text(edit: Edit) -> str:
    if edit.what in ("lr", "clip"):
        return f"{edit.step}:{edit.what}:{_exact(edit.value)}"
    return f"{edit.step}:{edit.what}:{LETTERS[edit.contender]}:{place(edit.block)}"


def _edit_from_text(text: str, blocks: Sequence[Set[str]]) -> Edit:
    found = _EDIT.fullmatch(text)
    if found is None:
        raise SpecError(f"the edit {text[:40]!r} cannot be read; it looks like 120:cut:a:2.3 or 200:lr:0.01")
    step, what, letter, block, name, value = found.groups()
    if what:
        contender = LETTERS.index(letter)
        known = blocks[contender] if contender < len(blocks) else ()
        named = next((each for each in known if place(each) == block), block if block[0].isalpha() else f"layer{block}")
        return Edit(int(step), "cut" if what == "cut" else "restore", contender, named)
    try:
        number = float(value)
    except ValueError:
        raise SpecError(f"the edit {text[:40]!r} holds no number") from None
    rate: Rate = "lr" if name == "lr" else "clip"
    low, high = next((low, high) for field, low, high in _RANGES if field == rate)
    if not low <= number <= high:
        raise SpecError(f"{rate} must be from {low:g} to {high:g}, got {number:g} in an edit")
    return Edit(int(step), rate, value=number)


_DEFAULTS: Final = {field.name: field.default for field in fields(LabPlan)}
