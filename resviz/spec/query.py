"""A spec as a URL's parameters, and back; each field says itself how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from urllib.parse import parse_qsl, urlencode

from resviz.spec.base import Spec
from resviz.spec.families import ALL_PRESETS, SPECS, Network
from resviz.spec.fields import fields_of
from resviz.spec.net import NetSpec, SpecError

__all__ = ["from_query", "resnet_of", "to_query", "to_query_string"]

_LONGEST = 600_000  # characters of a value: every connection of the largest DenseNet has room


def to_query(spec: Spec) -> dict[str, str]:
    """The spec as query parameters; fields at their default are left out, and a link that names no family is a ResNet's."""
    default = type(spec)()
    family = next((name for name, kind in SPECS.items() if type(spec) is kind and kind is not NetSpec), None)
    return ({"family": family} if family else {}) | {
        name: field.write(getattr(spec, name))
        for name, field in fields_of(type(spec)).items()
        if getattr(spec, name) != getattr(default, name)
    }


def to_query_string(spec: Spec) -> str:
    """The spec as the text behind a URL's `?`."""
    return urlencode(to_query(spec), safe=",.-")


def from_query(query: Mapping[str, str] | str) -> tuple[Network, tuple[str, ...]]:
    """Read a spec from query parameters; `net=resnet50` sets a base that other parameters change, `family=densenet` another default.

    Never raises: a parameter that is unknown or cannot be read is skipped and named in the second value, and a
    combination no network can be built from yields the family's default network and its reason.
    """
    try:
        pairs = dict(parse_qsl(query.lstrip("?"), max_num_fields=64)) if isinstance(query, str) else dict(query)
    except ValueError:
        return NetSpec(), ("the query has more than 64 parameters",)
    base, problems = _base(pairs.pop("family", None), pairs.pop("net", None))
    changes, known = {}, fields_of(type(base))
    for name, text in pairs.items():
        if name not in known:
            meant = get_close_matches(name[:40], known, 1)
            problems.append(f"{name[:40]!r} is not a parameter{f', {meant[0]!r} is' if meant else ''}")
            continue
        if len(text) > _LONGEST:
            problems.append(f"{name} is longer than {_LONGEST:,} characters")
            continue
        try:
            changes[name] = known[name].read(text)
        except (ValueError, KeyError):
            problems.append(f"{name}={text[:40]!r} cannot be read")
    try:
        return replace(base, **changes), tuple(problems)
    except SpecError as error:
        return type(base)(), (*problems, str(error))


def resnet_of(query: str) -> NetSpec:
    """The network of a text that was written for a ResNet, as cards are; raises `SpecError` for another family's."""
    spec, _ = from_query(query)
    if not isinstance(spec, NetSpec):
        raise SpecError(f"{query[:40]!r} is a {spec.title}, where only ResNets are known")
    return spec


def _base(family: str | None, net: str | None) -> tuple[Network, list[str]]:
    """What the other parameters change, and what of these two was not understood."""
    problems = []
    if family is not None and family not in SPECS:
        problems.append(f"family={family[:40]!r} is none; the families are {', '.join(SPECS)}")
    default = SPECS.get(family or "resnet", NetSpec)()
    if net is None:
        return default, problems
    if net not in ALL_PRESETS:
        return default, [*problems, f"net={net[:40]!r} is no preset"]
    if family is not None and family in SPECS and type(ALL_PRESETS[net]) is not SPECS[family]:
        return default, [*problems, f"net={net[:40]!r} is none of family={family}"]
    return ALL_PRESETS[net], problems
