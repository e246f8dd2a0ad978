"""A sweep: every combination of some settings, measured once for each seed; what one run is, and what it is known by."""

from __future__ import annotations

import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, NamedTuple, TypeVar

from resviz.spec.datasets import DATASETS
from resviz.spec.families import Network
from resviz.spec.fields import SpecError
from resviz.spec.lab import LabPlan
from resviz.spec.net import NetSpec
from resviz.spec.query import from_query, listed, to_query_string

__all__ = ["ABOUT", "MEASURES", "PROBES", "Measure", "Run", "Sweep", "read_sweep"]

T = TypeVar("T")
_VERSION: Final = 1  # of what a run computes: another number, and none that was done before counts
_SKIPS: Final = ("all", "none")
PROBES: Final[Mapping[str, str]] = {
    "training": "how it trains",
    "gradients": "gradients before any training",
    "lesions": "training, and then each block taken away",
}
_KEYS: Final = ("title", "data", "steps", "lr", "batch", "seeds", "networks", "grid", "probe", "also")


class Measure(NamedTuple):
    """What a column of a sweep's table holds, its unit, and whether it goes over decades."""

    title: str
    unit: str = ""
    decades: bool = False


MEASURES: Final[Mapping[str, Measure]] = {
    "accuracy": Measure("held-out accuracy", "%"),
    "train_accuracy": Measure("training accuracy, last ten steps", "%"),
    "loss": Measure("training loss, last ten steps"),
    "ratio": Measure("first layer's gradient over the last's, at the first step", decades=True),
    "first_gradient": Measure("first layer's gradient norm, at the first step", decades=True),
    "spread": Measure("largest layer's gradient over the smallest, before training", decades=True),
    "lesion_mean": Measure("error that a block's loss adds, mean over blocks", "points"),
    "lesion_most": Measure("error that a block's loss adds, of the block that counts most", "points"),
    "diverged": Measure("step at which it diverged, 0: none"),
    "seconds": Measure("seconds it took"),
}
ABOUT: Final = frozenset(
    {"key", "network", "probe", "data", "steps", "lr", "batch", "seed", "machine", "version", "last_gradient"}
)  # of a run, and no axis


@dataclass(frozen=True)
class Run:
    """One measurement: a network, named as a link names it, the settings that the plan varies, data, recipe, seed and probe."""

    network: str
    settings: tuple[tuple[str, str], ...]
    data: str
    steps: int
    lr: float
    batch: int
    seed: int
    probe: str = "training"

    @property
    def key(self) -> str:
        """The same for the same computation, whatever plan asks for it: 16 hex digits."""
        values = {**asdict(self), "version": _VERSION}
        del values["settings"]  # what of it counts is in the network
        if self.probe == "training":  # what a run was before there were others
            del values["probe"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def plan(self) -> LabPlan:
        """What the lab does for it."""
        spec, problems = from_query(self.network)
        if problems:
            raise SpecError(listed(problems))
        spec = replace(spec, seed=self.seed)  # another seed draws other weights and other batches
        return LabPlan((spec,), self.data, self.lr, batch=self.batch, seed=self.seed, steps=self.steps)


@dataclass(frozen=True)
class Sweep:
    """All runs of a plan, and the combinations that no network can be built from, each with its reason."""

    title: str
    runs: tuple[Run, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def read_sweep(text: str) -> Sweep:
    """A plan in TOML: `data`, `steps`, `lr`, `batch`, `seeds`, and `networks` (links' queries or presets), a `[grid]`, or both.

    `probe` is one of `PROBES`; that of gradients trains nothing, and takes no steps. A grid's axes are `depth` (layers of a
    three-stage ResNet), `skips` ("all", "none"), or any field of a link. Each `[[also]]` is the same plan once more but for what
    it names: fewer seeds for what is dear. Raises `SpecError` for what cannot be read.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"the plan is no TOML: {error}") from error
    if unknown := sorted(set(values) - set(_KEYS)):
        raise SpecError(f"the plan's {unknown[0]!r} is none of {', '.join(_KEYS)}")
    runs: list[Run] = []
    left_out: list[tuple[str, str]] = []
    for each in (values, *_also(values)):
        found = _read(each)
        runs += found[0]
        left_out += found[1]
    if not runs:
        raise SpecError(
            f"the plan has no run that can be done: {left_out[0][1]}"
            if left_out
            else "the plan names no network: give networks or a [grid]"
        )
    return Sweep(str(values.get("title", "")), tuple({run.key: run for run in runs}.values()), tuple(left_out))


def _also(values: Mapping[str, object]) -> Iterator[dict[str, object]]:
    for part in _list(values["also"], "also", dict) if "also" in values else ():
        if unknown := sorted(set(part) - (set(_KEYS) - {"also", "title"})):
            raise SpecError(f"an [[also]] of the plan names {unknown[0]!r}, which is none of what it can change")
        grid, own = values.get("grid", {}), part.get("grid", {})
        both = {"grid": {**grid, **own}} if isinstance(grid, Mapping) and isinstance(own, Mapping) else {}
        yield {**values, **part, **both}


def _read(values: Mapping[str, object]) -> tuple[list[Run], list[tuple[str, str]]]:
    """A plan's runs, and what no network can be built from."""
    data = str(values.get("data", "digits"))
    if data not in DATASETS:
        raise SpecError(f"data={data!r} is none of {', '.join(DATASETS)}")
    if (probe := str(values.get("probe", "training"))) not in PROBES:
        raise SpecError(f"probe={probe!r} is none of {', '.join(PROBES)}")
    if probe == "lesions" and DATASETS[data].pixels:
        raise SpecError(f"lesions are counted in pictures, and every pixel of {data} has a class; choose data such as digits")
    seeds = _list(values.get("seeds", [0]), "seeds", int)
    steps, batch = int(_number(values, "steps", 150, whole=True)), int(_number(values, "batch", 64, whole=True))
    steps = 0 if probe == "gradients" else steps
    lr = _number(values, "lr", 0.02)
    runs, left_out = [], []
    for settings in _settings(values):
        try:
            network = to_query_string(_network(settings, data))
            asked = Run(network, tuple(settings.items()), data, steps=steps, lr=lr, batch=batch, seed=0, probe=probe)
            _ = asked.plan  # it is checked here, not in a worker
        except SpecError as error:
            left_out.append((", ".join(f"{name}={value}" for name, value in settings.items()), str(error)))
            continue
        runs += [replace(asked, seed=seed) for seed in seeds]
    return runs, left_out


def _list(value: object, name: str, kind: type[T]) -> Sequence[T]:
    if not isinstance(value, list) or not value or not all(isinstance(each, kind) for each in value):
        raise SpecError(f"{name} must be a list such as [0, 1, 2], got {value!r:.60}")
    return value


def _number(values: Mapping[str, object], name: str, usual: float, whole: bool = False) -> float:
    value = values.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise SpecError(f"{name} must be a {'whole ' if whole else ''}number, got {value!r:.60}")
    if name == "steps" and not 1 <= value <= 100_000:
        raise SpecError(f"steps must be from 1 to 100000, got {value}")
    return float(value)


def _settings(values: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """What each network of the plan is made of: by its name, or by one value of each axis."""
    for name in _list(values["networks"], "networks", str) if "networks" in values else ():
        yield {"network": str(name)}
    grid = values.get("grid", {})
    if not isinstance(grid, Mapping):
        raise SpecError("grid must be a table of lists")
    axes = {
        name: [str(each).lower() if isinstance(each, bool) else str(each) for each in _list(axis, f"grid.{name}", object)]
        for name, axis in grid.items()
    }
    for chosen in itertools.product(*axes.values()) if axes else ():
        yield dict(zip(axes, chosen, strict=True))


def _network(settings: Mapping[str, str], data: str) -> Network:
    """The network of one combination, for the data's pictures and classes."""
    query = {name: value for name, value in settings.items() if name not in ("depth", "skips", "network")}
    base = {"net": settings["network"]} if "=" not in settings.get("network", "=") else {}
    spec, problems = from_query(settings["network"]) if "=" in settings.get("network", "") else from_query(base | query)
    if problems:
        raise SpecError(listed(problems))
    about = DATASETS[data]
    if isinstance(spec, NetSpec):
        spec = replace(spec, in_channels=about.channels, classes=about.classes or spec.classes)
    if "depth" in settings:
        spec = _deep(spec, settings["depth"])
    if (skips := settings.get("skips", "all")) not in _SKIPS:
        raise SpecError(f"skips={skips!r} is none of {', '.join(_SKIPS)}")
    return spec if skips == "all" else _without(spec, query)


def _without(spec: Network, asked: Mapping[str, str]) -> Network:
    """The network without skips. Raises `SpecError` where it is then of another kind than was asked for, as Fixup's is."""
    plain = spec.plain()
    for name in asked:
        if getattr(plain, name, None) != getattr(spec, name, None):
            raise SpecError(
                f"{name}={getattr(spec, name)} is for networks with skips; without them it would be {getattr(plain, name)}"
            )
    return plain


def _deep(spec: Network, text: str) -> Network:
    """The same design with so many layers."""
    if not isinstance(spec, NetSpec) or not text.isdecimal():
        raise SpecError(f"depth={text!r} is a number of layers, of ResNets")
    convs, stages = (3 if spec.block.bottleneck else 2), len(spec.blocks)
    blocks, rest = divmod(int(text) - 2, convs * stages)
    if rest or blocks < 1:
        raise SpecError(
            f"depth={text} is not {convs * stages}n + 2; nearest: {convs * stages * max(1, round((int(text) - 2) / (convs * stages))) + 2}"
        )
    return replace(spec, blocks=(blocks,) * stages)
