"""ResViz: residual networks you can take apart.

What pages and commands use, by name; each is fetched when it is first asked for, and PyTorch with it:
`NetSpec` and `PRESETS` say what a network is, `build` makes it and `summary` counts its layers; `gradient_probe` measures what one
backward pass sends to each of them; `attribute(Case(network, photograph, target), Asked(method))` says which pixels decided, for a
network of `load_bundled`; `watch` looks at a training loop of your own, and `show` draws any of it in a notebook.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from resviz.version import __version__

if TYPE_CHECKING:
    from resviz.attribution.question import Asked, Case, attribute
    from resviz.nets.build import build
    from resviz.nets.cost import layer_table as summary
    from resviz.probes.gradients import gradient_probe
    from resviz.showing.show import show
    from resviz.spec.families import ALL_PRESETS as PRESETS
    from resviz.spec.net import NetSpec
    from resviz.watching.watch import watch
    from resviz.zoo.bundled import load_bundled

__all__ = [
    "PRESETS",
    "Asked",
    "Case",
    "NetSpec",
    "__version__",
    "attribute",
    "build",
    "gradient_probe",
    "load_bundled",
    "show",
    "summary",
    "watch",
]

_DOOR: Final = {  # where each name lies, and what it is called there if not so
    "PRESETS": "resviz.spec.families ALL_PRESETS",
    "Asked": "resviz.attribution.question",
    "Case": "resviz.attribution.question",
    "NetSpec": "resviz.spec.net",
    "attribute": "resviz.attribution.question",
    "build": "resviz.nets.build",
    "gradient_probe": "resviz.probes.gradients",
    "load_bundled": "resviz.zoo.bundled",
    "show": "resviz.showing.show",
    "summary": "resviz.nets.cost layer_table",
    "watch": "resviz.watching.watch",
}


def __getattr__(name: str) -> object:
    """What is asked for by that name, fetched once."""
    if name not in _DOOR:
        raise AttributeError(f"module 'resviz' has no attribute {name!r}")
    module, _, called = _DOOR[name].partition(" ")
    value = globals()[name] = getattr(import_module(module), called or name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
