"""A network as a graph or as weights: ONNX, torch.export, safetensors. The batch is free in either graph."""

from __future__ import annotations

import io
import logging
import warnings
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from resviz.data.datasets import probed
from resviz.guard import brief
from resviz.nets.build import build
from resviz.spec.families import Network, side_of
from resviz.spec.query import to_query_string

__all__ = ["as_onnx", "as_safetensors", "as_torch_export", "example", "has_onnx"]


def example(spec: Network, count: int = 2, side: int = 0) -> Tensor:
    """So many of what the network reads, on the side that a graph of it is made for: 224 px for a photograph's stem unless told."""
    return probed(spec, count, side or side_of(spec, 32, 224))[0]


def has_onnx() -> bool:
    """Whether what ONNX needs is installed."""
    return find_spec("onnx") is not None and find_spec("onnxscript") is not None


def _net(spec: Network, net: nn.Module | None) -> nn.Module:
    """A network to look at: the given one, which is in eval mode and stays as it is, or the spec's own with the weights that it begins with."""
    return build(spec).eval() if net is None else net


def as_onnx(spec: Network, net: nn.Module | None = None, side: int = 0) -> bytes:
    """ONNX of the exporter's usual opset, `images` in and `logits` out. Raises `ValueError` where onnx and onnxscript are not installed."""
    if not has_onnx():
        raise ValueError("ONNX needs the packages onnx and onnxscript, which are not installed; pip install 'resviz[onnx]'")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.onnx.export(
            _net(spec, net),
            (example(spec, side=side),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            input_names=["images"],
            output_names=["logits"],
            verbose=False,
        )
    if made is None:
        raise ValueError("PyTorch made no ONNX of this network")
    return bytes(made.model_proto.SerializeToString())


def as_torch_export(spec: Network, net: nn.Module | None = None, side: int = 0) -> bytes:
    """What `torch.export.load` reads: the graph and its weights, without any code of ours."""
    buffer = io.BytesIO()
    with torch.no_grad():
        try:
            program = torch.export.export(
                _net(spec, net), (example(spec, side=side),), dynamic_shapes=({0: torch.export.Dim("batch")},)
            )
        except Exception as error:  # torch's compiler has a dozen of its own
            raise ValueError(f"torch.export makes no graph of this network: {brief(error)}") from error
    torch.export.save(program, buffer)
    return buffer.getvalue()


def as_safetensors(spec: Network, net: nn.Module | None = None, side: int = 0) -> bytes:
    """Every weight and statistic under its own name; the metadata holds the network as a link's query, and the side that it reads."""
    from safetensors.torch import save

    state = {name: value.contiguous() for name, value in _net(spec, net).state_dict().items()}
    return save(state, {"spec": to_query_string(spec), "side": str(side or side_of(spec, 32, 224))})
