"""A spec as a URL's parameters, and back; each field says itself how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from urllib.parse import parse_qsl, urlencode

from resviz.spec.base import Spec
from resviz.spec.families import ALL_PRESETS, SPECS, Network
from resviz.spec.fields import check_field, fields_of
from resviz.spec.net import NetSpec, SpecError

__all__ = ["from_query", "listed", "repeated", "resnet_of", "to_query", "to_query_string"]

_LONGEST = 600_000  # characters of a value: every connection of the largest DenseNet has room
_NAMED = 5  # problems that a sentence names


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

    Never raises: a parameter that is unknown, empty or cannot be read is skipped and named in the second value. Of a combination that
    no network can be built from, that parameter is skipped without which one can, where there is one such; else the family's default
    network is what is left.
    """
    try:
        given = parse_qsl(query.lstrip("?"), keep_blank_values=True, max_num_fields=64) if isinstance(query, str) else []
    except ValueError:
        return NetSpec(), (f"the query has more than 64 parameters, {_instead(NetSpec())}",)
    pairs = dict(given if isinstance(query, str) else query)
    base, problems = _base(pairs.pop("family", None), pairs.pop("net", None))
    changes, known = {}, fields_of(type(base))
    for name, text in pairs.items():
        if name not in known:
            meant = get_close_matches(name[:40], known, 1)
            problems.append(f"{name[:40]!r} is not a parameter{f', {meant[0]!r} is' if meant else ''}")
            continue
        if not text or len(text) > _LONGEST:
            problems.append(f"{name} is longer than {_LONGEST:,} characters" if text else f"{name} is empty")
            continue
        try:
            value = known[name].read(text)
            check_field(name, known[name], value)
            changes[name] = value
        except SpecError as error:
            problems.append(str(error))
        except (ValueError, KeyError):
            problems.append(f"{name}={text[:40]!r} cannot be read")
    problems += repeated(given)

    def built(but: str = "") -> Network:
        return replace(base, **{name: value for name, value in changes.items() if name != but})

    try:
        return built(), tuple(problems)
    except SpecError as error:
        spec, reason = _without_one(built, changes), str(error)
    if spec is not None:
        return spec, (reason, *problems)
    return type(base)(), (f"{reason}, {_instead(type(base)())}", *problems)


def _without_one(built: Callable[[str], Network], names: Iterable[str]) -> Network | None:
    """The network without the one parameter that keeps it from being built; None where there is none such, or several."""
    found = []
    for name in names:
        with suppress(SpecError):
            found.append(built(name))
    return found[0] if len(found) == 1 else None


def _instead(usual: Network) -> str:
    return f"so that the network is the usual {usual.title}"


def repeated(given: Iterable[tuple[str, str]]) -> list[str]:
    """What of these parameters comes again later, where the last counts."""
    problems, last = [], dict[str, str]()
    for name, text in given:
        if name in last:
            problems.append(f"{name[:40]}={last[name][:40]!r} is followed by {name[:40]}={text[:40]!r}")
        last[name] = text
    return problems


def listed(problems: Sequence[str], between: str = "; ") -> str:
    """The first of them in a line, and how many more there are."""
    more = f" and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    return between.join(problems[:_NAMED]) + more


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
