"""Networks as other repositories write them, from their published code: what their checkpoints mean."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def trained(net: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and running statistics as a trained network might have them, in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            noise = torch.randn(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(0.5 + noise.abs())
            elif value.dim() == 1:
                value.add_(0.2 * noise)
            else:
                value.copy_(noise * (2 / value[0].numel()) ** 0.5)
    return net.eval()


class NumberedBlock(nn.Module):
    """weiaicunzai/pytorch-cifar100's BasicBlock."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.residual_function = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after),
        )  # fmt: skip
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.residual_function(x) + self.shortcut(x))


class NumberedResNet(nn.Module):
    """weiaicunzai/pytorch-cifar100's ResNet, with fewer channels."""

    def __init__(self, width: int = 8, classes: int = 7) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        before = width
        for stage in range(4):
            after = width * 2**stage
            blocks = [NumberedBlock(before, after, 2 if stage else 1), NumberedBlock(after, after, 1)]
            self.add_module(f"conv{stage + 2}_x", nn.Sequential(*blocks))
            before = after
        self.fc = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for stage in range(2, 6):
            x = self.get_submodule(f"conv{stage}_x")(x)
        return self.fc(x.mean((2, 3)))


class PreActBlock(nn.Module):
    """kuangliu/pytorch-cifar's PreActBlock: a bare projection of the activated input."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(after), nn.Conv2d(after, after, 3, 1, 1, bias=False)
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(x))
        skip = self.shortcut(out) if hasattr(self, "shortcut") else x
        return self.conv2(F.relu(self.bn2(self.conv1(out)))) + skip


class PreActResNet(nn.Module):
    """kuangliu/pytorch-cifar's PreActResNet, with fewer channels: neither norm nor ReLU after the last block."""

    def __init__(self, width: int = 8, classes: int = 7) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        before = width
        for stage in range(3):
            after = width * 2**stage
            blocks = [PreActBlock(before, after, 2 if stage else 1), PreActBlock(after, after, 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            before = after
        self.linear = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for stage in range(1, 4):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.linear(x.mean((2, 3)))


def _convolved(before: int, after: int, kernel: int, stride: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d, nn.ReLU]:
    return nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()


class TimmBlock(nn.Module):
    """timm's BasicBlock or Bottleneck, with `downsample_avg` or `downsample_conv`."""

    def __init__(self, before: int, planes: int, stride: int, bottleneck: bool, averages: bool) -> None:
        super().__init__()
        after = planes * (4 if bottleneck else 1)
        sizes = [(before, planes, 3, stride), (planes, after, 3, 1)]
        if bottleneck:
            sizes = [(before, planes, 1, 1), (planes, planes, 3, stride), (planes, after, 1, 1)]
        for n, size in enumerate(sizes, 1):
            for what, layer in zip(("conv", "bn", "act"), _convolved(*size), strict=True):
                self.add_module(f"{what}{n}", layer)
        self.layers = len(sizes)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            pool = nn.Identity() if stride == 1 else nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False)
            projection = nn.Conv2d(before, after, 1, 1 if averages else stride, bias=False), nn.BatchNorm2d(after)
            self.downsample = nn.Sequential(*([pool] if averages else []), *projection)

    def forward(self, x: Tensor) -> Tensor:
        skip, out = self.downsample(x), x
        for n in range(1, self.layers + 1):
            out = self.get_submodule(f"bn{n}")(self.get_submodule(f"conv{n}")(out))
            out = self.get_submodule(f"act{n}")(out + skip if n == self.layers else out)
        return out


class TimmResNet(nn.Module):
    """timm's ResNet with `stem_type="deep"`: resnet18d, resnet26d, resnet50d, and without `averages` resnet50c, with fewer channels."""

    def __init__(
        self, blocks: tuple[int, ...], bottleneck: bool, averages: bool = True, width: int = 8, classes: int = 7
    ) -> None:
        super().__init__()
        half = width // 2
        steps = *_convolved(3, half, 3, 2), *_convolved(half, half, 3)
        self.conv1 = nn.Sequential(*steps, nn.Conv2d(half, width, 3, padding=1, bias=False))
        self.bn1, self.act1, self.maxpool = nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        before, self.stages = width, len(blocks)
        for stage, count in enumerate(blocks):
            layer = nn.Sequential()
            for n in range(count):
                layer.append(TimmBlock(before, width * 2**stage, 2 if stage and not n else 1, bottleneck, averages))
                before = width * 2**stage * (4 if bottleneck else 1)
            self.add_module(f"layer{stage + 1}", layer)
        self.fc = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.act1(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def as_transformers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's tensors by the names of transformers' ResNetForImageClassification."""
    found = {}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        if part.startswith("layer"):
            block, name, *more = rest.split(".")
            if name == "downsample":
                inner = "shortcut." + ("convolution", "normalization")[int(more.pop(0))]
            else:
                inner = f"layer.{int(name[-1]) - 1}.{'convolution' if name.startswith('conv') else 'normalization'}"
            found[f"resnet.encoder.stages.{int(part[-1]) - 1}.layers.{block}.{inner}.{more[0]}"] = value
        elif part == "fc":
            found[f"classifier.1.{rest}"] = value
        else:
            found[f"resnet.embedder.embedder.{'convolution' if part == 'conv1' else 'normalization'}.{rest}"] = value
    return found
