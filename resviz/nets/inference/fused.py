"""A frozen network's passes with fewer trips through memory: convolution, addition and ReLU in one step, no weight gradients.

For networks whose batch norms are folded. What a step keeps for the way back is its own output, which is the ReLU's mask.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

from resviz.machine import plain
from resviz.nets.families.resnet import ResNet
from resviz.nets.inference.patches import Local
from resviz.nets.unit import Net, Unit
from resviz.spec.net import Activation

__all__ = ["fuse", "near", "prepare"]


_ops = torch.ops.mkldnn


@cache
def _packs() -> bool:
    """Whether oneDNN's operators, which are private to PyTorch, are here and do what they did when this was written."""
    if plain() or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    x, weight, bias = torch.ones(1, 8, 4, 4), torch.ones(8, 8, 3, 3), torch.ones(8)
    shape = [1, 1], [1, 1], [1, 1], 1
    try:
        packed = _ops._reorder_convolution_weight(weight, *shape, list(x.shape))
        found = _ops._convolution_pointwise(x, packed, bias, *shape, "relu", [], "")
        joined = _ops._convolution_pointwise.binary(x, x, packed, bias, *shape, "add", 1.0, "relu", [], "")
    except Exception:  # another version may want other arguments
        return False
    expected = F.relu(F.conv2d(x, weight, bias, padding=1))
    return torch.allclose(found, expected) and torch.allclose(joined, expected + x)


class _Packed:
    """A convolution's weights as oneDNN's kernels read them, made when first asked for and shared by all views.

    PyTorch otherwise reorders them at every call, which costs a single picture a third of its time. `of` is what they were made
    from: a view whose weights were exchanged must not use them.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        self.of = conv.weight
        self.stem = _subpixel(conv.weight) if conv.kernel_size == (7, 7) and conv.stride == (2, 2) else None
        self.layouts: dict[tuple[bool, bool], Tensor] = {}

    def layout(self, conv: nn.Conv2d, x: Tensor, back: bool) -> Tensor:
        """Kernels for a single picture want another one than those for several."""
        key = len(x) == 1, back
        if key not in self.layouts:
            weight = self.of.detach()
            if back:  # the way back through a convolution of stride 1 is a convolution
                weight = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
            stride = [1, 1] if back else list(conv.stride)
            self.layouts[key] = _ops._reorder_convolution_weight(
                weight, conv.padding, stride, conv.dilation, conv.groups, list(x.shape)
            )
        return self.layouts[key]


def _packed(conv: nn.Conv2d, x: Tensor) -> _Packed | None:
    packed: _Packed | None = getattr(conv, "packed", None)
    return (
        packed
        if packed is not None and packed.of is conv.weight and x.dtype is torch.float32 and x.device.type == "cpu"
        else None
    )


def _convolved(conv: nn.Conv2d, x: Tensor, skip: Tensor | None, relu: bool) -> Tensor:
    """relu(conv(x) + skip)."""
    packed = _packed(conv, x)
    if packed is None or not _packs():
        y = F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)
        y = y if skip is None else y.add_(skip)
        return y.relu_() if relu else y
    weight, bias = packed.layout(conv, x, back=False), conv.bias
    shape = conv.padding, conv.stride, conv.dilation, conv.groups
    found: Tensor
    if skip is None:
        found = _ops._convolution_pointwise(x, weight, bias, *shape, "relu" if relu else "none", [], "")
    else:
        found = _ops._convolution_pointwise.binary(x, skip, weight, bias, *shape, "add", 1.0, "relu" if relu else None, [], "")
    return found


class _Context(FunctionCtx):
    """What a step leaves for the way back; autograd adds the last two."""

    conv: nn.Conv2d
    relu: bool
    shape: torch.Size
    joined: bool
    needs_input_grad: tuple[bool, ...]
    saved_tensors: tuple[Tensor, ...]


class _Step(torch.autograd.Function):
    """relu(conv(x) + skip); without `relu` or `skip` the plain convolution."""

    @staticmethod
    def forward(ctx: _Context, x: Tensor, skip: Tensor | None, conv: nn.Conv2d, relu: bool) -> Tensor:
        y = _convolved(conv, x, skip, relu)
        if relu:
            ctx.save_for_backward(y)
        ctx.conv, ctx.relu, ctx.shape, ctx.joined = conv, relu, x.shape, skip is not None
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        if ctx.relu:
            gradient = torch.ops.aten.threshold_backward(gradient, ctx.saved_tensors[0], 0)
        below = _input_gradient(ctx.conv, ctx.shape, gradient) if ctx.needs_input_grad[0] else None
        return below, gradient if ctx.joined else None, None, None


def _input_gradient(conv: nn.Conv2d, shape: torch.Size, gradient: Tensor) -> Tensor:
    packed, found = _packed(conv, gradient), None
    if packed is not None and packed.stem is not None and shape[-1] % 2 == 0 == shape[-2] % 2:
        return F.pixel_shuffle(F.conv2d(F.pad(gradient, (1, 2, 1, 2)), packed.stem), 2)
    if packed is not None and _packs() and conv.stride == (1, 1) and conv.groups == 1:
        weight = packed.layout(conv, gradient, back=True)
        found = _ops._convolution_pointwise(gradient, weight, None, conv.padding, conv.stride, conv.dilation, 1, "none", [], "")
    else:
        like = torch.empty(
            shape, device=gradient.device, memory_format=torch.channels_last
        )  # only its shape counts; nothing is written there or read
        found = torch.ops.aten.convolution_backward(
            gradient,
            like,
            conv.weight,
            None,
            conv.stride,
            conv.padding,
            conv.dilation,
            False,
            [0, 0],
            conv.groups,
            [True, False, False],
        )[0]
    return found


def _subpixel(weight: Tensor) -> Tensor:
    """The stem's 7×7 of stride 2 from its output's gradient to its input's, as a 4×4 that makes 2×2 pixels at once.

    (64, 3, 7, 7) to (12, 64, 4, 4); the libraries' own kernel for three channels takes five times as long.
    """
    flipped = F.pad(weight, (1, 0, 1, 0)).flip(2, 3)  # (out, in, 8, 8): tap k stands at 6 - k
    # input row 2i + a hears output row i - 1 + t by tap 5 + a - 2t
    rows = torch.tensor([[1 - a + 2 * t for t in range(4)] for a in range(2)])
    taken = flipped[:, :, rows][..., rows]  # (out, in, a, t, b, u)
    return taken.permute(1, 2, 4, 0, 3, 5).reshape(-1, weight.shape[0], 4, 4).contiguous(memory_format=torch.channels_last)


def prepare(net: Net) -> None:
    """What `fuse` needs of a folded network once for all its views."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.packed = _Packed(module)  # type: ignore[assignment]


def _step(conv: nn.Conv2d, x: Tensor, skip: Tensor | None = None, relu: bool = True) -> Tensor:
    found: Tensor = _Step.apply(x, skip, conv, relu)
    return found


def _unit(unit: Unit, x: Tensor) -> Tensor:
    if not unit.branch:
        return F.relu(_skipped(unit, x))
    identity = _skipped(unit, x) if unit.skip else None
    *convs, last = unit.chain
    for conv in convs:
        x = _step(conv, x)
    return _step(last, x, identity)


def _skipped(unit: Unit, x: Tensor) -> Tensor:
    projection = unit.projection
    if projection is None or not isinstance(unit.downsample, nn.Sequential):  # x alone, or more than a convolution
        return unit.identity(x, x)
    first = unit.downsample[0]  # the projection, or option D's mean before it
    return _step(projection, x if first is projection else first(x), relu=False)


def _early(net: ResNet, x: Tensor) -> Tensor:
    for conv in net.first:
        x = _step(conv, x)
    found: Tensor = net.get_submodule("layer1")(net.maxpool(x))
    return found


def _features(net: Any, x: Tensor) -> Tensor:
    x = net.early(x)
    for stage in range(1, len(net.spec.blocks)):
        x = net.get_submodule(f"layer{stage + 1}")(x)
    return x


def near(net: Any, x: Tensor) -> None:
    """Tell a fused view that pictures without gradients will differ from this one, (1, C, H, W), only in a part."""
    if hasattr(net, "early"):
        units = [module for module in net.layer1.modules() if isinstance(module, Unit)]
        wide = sum(conv.kernel_size[0] // 2 for unit in units for conv in unit.chain)
        net.early = Local(net.spec.stem, wide, partial(_early, net), x)


def fuse(net: Any) -> None:
    """Let a folded view of a ReLU network with post-activation blocks run fused; another network is left as it is.

    Blocks still answer to hooks, the layers inside them no longer.
    """
    folded = isinstance(net.bn1, nn.Identity)
    if plain() or net.spec.activation is not Activation.RELU or not folded or not all(unit.chain for _, unit in net.units()):
        return
    net.early, net.features = partial(_early, net), partial(_features, net)
    for _, unit in net.units():
        unit.forward = partial(_unit, unit)
