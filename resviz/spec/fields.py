"""What a spec's field says of itself, once: how a link writes and reads it, how a description words it, what its widget shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from numbers import Integral
from typing import Any, Final

from resviz.spec.choices import Activation, Init, Norm
from resviz.spec.words import word

__all__ = [
    "Field",
    "Kind",
    "SpecError",
    "activations",
    "answers",
    "channels",
    "check_field",
    "check_fields",
    "choice",
    "connections",
    "counts",
    "fields_of",
    "flag",
    "inits",
    "names",
    "norms",
    "number",
    "place",
    "seeds",
    "whole_names",
]

Says = Callable[[Any], str]  # a spec's own words for one of its fields


class SpecError(ValueError):
    """A value that no network can be built from; the message names the value and the remedy."""


@dataclass(frozen=True)
class Kind:
    """What a field's values are: `holds` tells one from any other, `meant` is it in words, and `instead` what to write."""

    holds: Callable[[object], bool]
    meant: str
    instead: str

    @classmethod
    def all_in(
        cls, collection: type[tuple[object, ...] | frozenset[object]], each: Callable[[object], bool], meant: str, instead: str
    ) -> Kind:
        """Of collections of that type, in which each is one."""
        return cls(lambda value: isinstance(value, collection) and all(map(each, value)), meant, instead)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _is_connection(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and _is_name(value[0]) and _is_whole(value[1])


_NUMBER: Final = Kind(_is_whole, "a whole number", "choose one")
_FLAG: Final = Kind(lambda value: isinstance(value, int) and value in (0, 1), "True or False", "choose one of them")


def _named(name: str) -> Kind:
    return Kind.all_in(frozenset, _is_name, "a frozenset of block names", f"write one such as frozenset({{{name!r}}})")


@dataclass(frozen=True)
class Field:
    """`read` raises ValueError or KeyError for a text that is none; `says` is this field's part of a description, or nothing."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    kind: Kind
    label: str = ""
    help: str = ""
    says: Says | None = None  # of the whole spec
    choices: tuple[StrEnum, ...] = ()
    low: int = 0
    high: int = 0
    step: int = 1


def fields_of(kind: type) -> Mapping[str, Field]:
    """The fields of a spec's class by name, in order; what a link cannot hold is not among them."""
    return _fields_of(kind)


@cache
def _fields_of(kind: type) -> Mapping[str, Field]:
    return {each.name: each.metadata["field"] for each in fields(kind) if "field" in each.metadata}


def check_fields(spec: object) -> None:
    """Raises `SpecError` where `check_field` does."""
    for name, each in fields_of(type(spec)).items():
        check_field(name, each, getattr(spec, name))


def check_field(name: str, field: Field, value: object) -> None:
    """Raises `SpecError` for a value of another type than the field's, and for a number that is not from its `low` to its `high`."""
    between = f" from {field.low} to {field.high}" if field.high else ""
    if not field.kind.holds(value):
        raise SpecError(f"{name} must be {field.kind.meant}, got {repr(value)[:60]}; {field.kind.instead}{between}")
    if between and isinstance(value, Integral) and not field.low <= int(value) <= field.high:
        raise SpecError(f"{name} must be{between}, got {value}; choose a value in that range")


def choice(
    kind: type[StrEnum], label: str, help: str, says: Says | None = None, without: Collection[StrEnum] = ()
) -> Mapping[str, Field]:
    """Metadata of a field that holds one of an enum's members, but for those it is `without`."""
    choices = tuple(each for each in kind if each not in without)
    of = Kind(
        lambda value: isinstance(value, kind),
        f"a member of {kind.__name__}",
        f"choose one of {', '.join(f'{kind.__name__}.{each.name}' for each in choices)}",
    )
    return {"field": Field(kind, str, of, label, help, says, choices=choices)}


def number(low: int, high: int, label: str, help: str, step: int = 1, says: Says | None = None) -> Mapping[str, Field]:
    """Metadata of a whole number from `low` to `high`."""
    return {"field": Field(_whole, str, _NUMBER, label, help, says, low=low, high=high, step=step)}


def flag() -> Mapping[str, Field]:
    """Metadata of yes or no: 1 or 0."""
    return {"field": Field(lambda text: {"1": True, "0": False}[text], lambda on: "1" if on else "0", _FLAG)}


def counts(like: str) -> Mapping[str, Field]:
    """Metadata of whole numbers, in a link 3-4-6-3, in Python `like` so."""
    kind = Kind.all_in(tuple, _is_whole, "a tuple of whole numbers", f"write one such as {like}")
    return {"field": Field(lambda text: tuple(map(_whole, text.split("-"))), lambda each: "-".join(map(str, each)), kind)}


def names(says: Says, spelled: str = "layer{}.{}", words: tuple[str, ...] = ()) -> Mapping[str, Field]:
    """Metadata of block names, of which a link holds what `spelled` has two places for: 1.0,2.3, or with `words` 0.mlp,3.attention."""
    place = re.compile(rf"(0|[1-9]\d{{0,5}})\.({'|'.join(words)})", re.ASCII) if words else _PLACE
    like = f"0.{words[0]}" if words else "1.0,2.3"
    return {
        "field": Field(
            lambda text: _names(text, spelled, place, like),
            _in_order,
            _named(spelled.format(1, words[0] if words else 1)),
            says=says,
        )
    }


def whole_names(says: Says, pattern: str, like: str) -> Mapping[str, Field]:
    """Metadata of block names of that pattern, which a link holds as they are, `like` so."""
    known = re.compile(pattern, re.ASCII)

    def read(text: str) -> frozenset[str]:
        found = [part for part in text.split(",") if part]
        if not all(map(known.fullmatch, found)):
            raise ValueError(f"block names look like {like}")
        return frozenset(found)

    return {"field": Field(read, lambda names: ",".join(sorted(names)), _named(like.split(",")[0]), says=says)}


def connections(says: Says, spelled: str) -> Mapping[str, Field]:
    """Metadata of pairs, a block's name and the number of a source that it reads: 1.5-0,2.3-1."""

    def read(text: str) -> frozenset[tuple[str, int]]:
        found = [_CONNECTION.fullmatch(part) for part in text.split(",") if part]
        if None in found:
            raise ValueError("connections look like 1.5-0,2.3-1")
        return frozenset((spelled.format(each[1], each[2]), int(each[3])) for each in found if each)

    def write(pairs: frozenset[tuple[str, int]]) -> str:
        keyed = sorted((*(int(part) for part in place(name).split(".")), source) for name, source in pairs)
        return ",".join(f"{stage}.{index}-{source}" for stage, index, source in keyed)

    pair = (spelled.format(1, 5), 0)
    kind = Kind.all_in(
        frozenset, _is_connection, "a frozenset of layers with a source", f"write one such as frozenset({{{pair!r}}})"
    )
    return {"field": Field(read, write, kind, says=says)}


def norms(help: str) -> Mapping[str, Field]:
    """Metadata of the norm; `help` says where it stands."""
    return choice(Norm, "Normalisation", help, lambda spec: word(spec.norm, alone=True))


def activations(help: str, usual: Activation = Activation.RELU) -> Mapping[str, Field]:
    """Metadata of the nonlinearity, of which a description says nothing where it is the usual one."""
    return choice(Activation, "Activation", help, lambda spec: word(spec.activation) if spec.activation is not usual else "")


def inits() -> Mapping[str, Field]:
    """Metadata of what the initial weights are drawn by."""
    return choice(Init, "Initialisation", "How weights are drawn before training.", lambda spec: word(spec.init, alone=True))


def answers(low: int = 1, high: int = 100_000) -> Mapping[str, Field]:
    """Metadata of the number of classes."""
    return number(low, high, "Classes", "Outputs of the last layer.")


def channels() -> Mapping[str, Field]:
    """Metadata of the picture's channels."""
    return number(1, 64, "Input channels", "3 for colour, 1 for grey.")


def seeds() -> Mapping[str, Field]:
    """Metadata of the seed."""
    help = "The same seed draws the same weights."
    return number(0, 2**31 - 1, "Seed", help, says=lambda spec: f"seed {spec.seed}" if spec.seed else "")


def place(name: str) -> str:
    """A block as links write it: 2.3 of `layer2.3`, 0.mlp where the last word has no number; up1.long and down1.0 as they are."""
    if _WHOLE.fullmatch(name):
        return name
    last = name.rpartition(".")[2]
    return ".".join([*re.findall(r"\d+", name), *([] if re.search(r"\d", last) else [last])])


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        raise ValueError("a whole number")
    return int(text)


_WHOLE = re.compile(r"(?!layer)[a-z]+\d?\.[a-z\d]+", re.ASCII)
_PLACE = re.compile(r"([1-9]\d{0,5})\.(0|[1-9]\d{0,5})", re.ASCII)
_CONNECTION = re.compile(r"([1-9]\d*)\.([1-9]\d*)-(0|[1-9]\d{0,2})", re.ASCII)


def _names(text: str, spelled: str, place: re.Pattern[str], like: str) -> frozenset[str]:
    found = [place.fullmatch(part) for part in text.split(",") if part]
    if None in found:
        raise ValueError(f"block names look like {like}")
    return frozenset(spelled.format(*each.groups()) for each in found if each)


def _in_order(names: frozenset[str]) -> str:
    keyed = sorted(tuple(int(part) if part.isdecimal() else part for part in place(name).split(".")) for name in names)
    return ",".join(f"{stage}.{index}" for stage, index in keyed)
