"""What leaves: a network in forms that need no ResViz, each a writer in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resviz.export.code import code
from resviz.export.notebook import gradients_notebook
from resviz.spec.families import Network, side_of

if TYPE_CHECKING:
    from resviz.zoo.classifier import Classifier

__all__ = ["WRITERS", "Writer"]


@dataclass(frozen=True)
class Writer:
    """One form: what it is in words, the endings of its files, and what makes a file's bytes of a spec; text may be printed too."""

    says: str
    endings: tuple[str, ...]
    write: Callable[[Network], bytes]
    text: bool = False
    trained: Callable[[Classifier], bytes] | None = None  # the same of a network with the weights that it has learned


def _graph(says: str, ending: str, name: str) -> Writer:
    """A writer of `export.graph`, and PyTorch with it, fetched when it is asked for."""

    def of(spec: Network, *about: object) -> bytes:
        from resviz.export import graph

        made: bytes = getattr(graph, name)(spec, *about)
        return made

    return Writer(says, (ending,), of, trained=lambda network: of(network.spec, network.net, network.preprocessing.crop))


def _notebook(spec: Network) -> bytes:
    """Its gradients, of the batch that the page begins with."""
    side = side_of(spec, 8, 64)
    return gradients_notebook(spec, 16 if side > 32 else 64, side)


WRITERS: Final[Mapping[str, Writer]] = {
    "code": Writer(
        "one file of PyTorch that draws the same weights", (".py",), lambda spec: code(spec).encode("utf-8"), text=True
    ),
    "onnx": _graph("the graph with its weights, for any batch", ".onnx", "as_onnx"),
    "torchexport": _graph("what torch.export.load reads", ".pt2", "as_torch_export"),
    "safetensors": _graph("the weights by their names", ".safetensors", "as_safetensors"),
    "notebook": Writer("a notebook that measures its gradients", (".ipynb",), _notebook, text=True),
}
