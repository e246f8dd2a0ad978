"""A spec as a URL's parameters, and back; each field says itself how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from resviz.spec.fields import fields_of
from resviz.spec.net import NetSpec, SpecError
from resviz.spec.presets import PRESETS

__all__ = ["from_query", "to_query", "to_query_string"]


def to_query(spec: NetSpec) -> dict[str, str]:
    """The spec as query parameters; fields at their default are left out."""
    default = type(spec)()
    return {
        name: field.write(getattr(spec, name))
        for name, field in fields_of(type(spec)).items()
        if getattr(spec, name) != getattr(default, name)
    }


def to_query_string(spec: NetSpec) -> str:
    """The spec as the text behind a URL's `?`."""
    return urlencode(to_query(spec), safe=",.-")


def from_query(query: Mapping[str, str] | str) -> tuple[NetSpec, tuple[str, ...]]:
    """Read a spec from query parameters; `net=resnet50` sets a base that other parameters change.

    Never raises: a parameter that is unknown or cannot be read is skipped and named in the second value, and a
    combination no network can be built from yields the default network and its reason.
    """
    base, problems, changes, known = NetSpec(), [], {}, fields_of(NetSpec)
    try:
        pairs = dict(parse_qsl(query.lstrip("?"), max_num_fields=64)) if isinstance(query, str) else dict(query)
    except ValueError:
        return base, ("the query has more than 64 parameters",)
    if (net := pairs.pop("net", None)) is not None:
        if net in PRESETS:
            base = PRESETS[net]
        else:
            problems.append(f"net={net[:40]!r} is no preset")
    for name, text in pairs.items():
        if name not in known:
            problems.append(f"{name[:40]!r} is not a parameter")
            continue
        try:
            changes[name] = known[name].read(text[:4000])
        except (ValueError, KeyError):
            problems.append(f"{name}={text[:40]!r} cannot be read")
    try:
        return replace(base, **changes), tuple(problems)
    except SpecError as error:
        return NetSpec(), (*problems, str(error))
