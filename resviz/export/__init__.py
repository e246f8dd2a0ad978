"""What leaves: a network in forms that need no ResViz, each a writer in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from resviz.export.code import code
from resviz.export.notebook import gradients_notebook
from resviz.spec.families import Network, side_of

__all__ = ["WRITERS", "Writer"]


@dataclass(frozen=True)
class Writer:
    """One form: what it is in words, the endings of its files, and what makes a file's bytes of a spec; text may be printed too."""

    says: str
    endings: tuple[str, ...]
    write: Callable[[Network], bytes]
    text: bool = False


def _graph(name: str) -> Callable[[Network], bytes]:
    """A writer of `export.graph`, and PyTorch with it, fetched when it is asked for."""

    def write(spec: Network) -> bytes:
        from resviz.export import graph

        made: bytes = getattr(graph, name)(spec)
        return made

    return write


def _notebook(spec: Network) -> bytes:
    """Its gradients, of the batch that the page begins with."""
    side = side_of(spec, 8, 64)
    return gradients_notebook(spec, 16 if side > 32 else 64, side)


WRITERS: Final[Mapping[str, Writer]] = {
    "code": Writer(
        "one file of PyTorch that draws the same weights", (".py",), lambda spec: code(spec).encode("utf-8"), text=True
    ),
    "onnx": Writer("the graph with its weights, for any batch", (".onnx",), _graph("as_onnx")),
    "torchexport": Writer("what torch.export.load reads", (".pt2",), _graph("as_torch_export")),
    "safetensors": Writer("the weights by their names", (".safetensors",), _graph("as_safetensors")),
    "notebook": Writer("a notebook that measures its gradients", (".ipynb",), _notebook, text=True),
}
