"""A ResNet as one file of PyTorch: a template, of which a spec keeps what it uses."""

from __future__ import annotations

from typing import Final

from resviz.export.resnet_template import TEMPLATE
from resviz.export.source import applied, facts, heading, listed, rendered, words
from resviz.spec.choices import Block, BranchScale, Carry, Init, Norm, Order, Shortcut, Stem
from resviz.spec.net import NetSpec

__all__ = ["resnet"]

_PAPERS: Final = {
    Order.ORIGINAL: "He et al., Deep Residual Learning for Image Recognition, 2015 (arXiv 1512.03385).",
    Order.PREACT: "He et al., Identity Mappings in Deep Residual Networks, 2016 (arXiv 1603.05027).",
}
_TRICKS: Final = "He et al., Bag of Tricks for Image Classification, 2018 (arXiv 1812.01187)."
_REP: Final = "Ding et al., RepVGG: Making VGG-style ConvNets Great Again, 2021 (arXiv 2101.03697)."


def resnet(spec: NetSpec) -> str:
    """The file's text."""
    papers = _REP if spec.block is Block.REP else _PAPERS.get(spec.block.order, _PAPERS[Order.PREACT])
    same, other = _shapes(spec)
    if spec.stem is Stem.DEEP or (other and spec.shortcut is Shortcut.D):
        papers = f"{papers} {_TRICKS}"
    holds = facts(spec) | _holds(spec) | ({"same"} if same else set()) | ({"other"} if other else set())
    filled = words(spec) | _sizes(spec) | _block(spec, same, other) | _trunk(spec)
    return f'"""{heading(spec, papers)}\n"""\n\n' + rendered(TEMPLATE, holds, **filled)


def _entering(spec: NetSpec) -> list[int]:
    """Channels that enter each stage."""
    return [spec.width, *(spec.out_channels(stage) for stage in range(len(spec.blocks) - 1))]


def _shapes(spec: NetSpec) -> tuple[bool, bool]:
    """Whether some skips carry x as it is, and some change its shape."""
    kept = [entering == spec.out_channels(stage) and not stage for stage, entering in enumerate(_entering(spec))]
    same = any(kept) or any(count > 1 for count in spec.blocks)
    if not spec.residual:
        return False, False
    return same and spec.shortcut is not Shortcut.C, not all(kept) or spec.shortcut is Shortcut.C


def _holds(spec: NetSpec) -> set[str]:
    same, other = _shapes(spec)
    known = {
        "residual": spec.residual,
        "cut": bool(spec.cut),
        "dropped": bool(spec.dropped),
        "survival": spec.survival < 100,
        "named": bool(spec.cut or spec.dropped or spec.survival < 100),
        "counted": spec.scale is BranchScale.DEPTH or spec.init is Init.FIXUP or spec.survival < 100,
        "grouped": spec.groups > 1,
        "wide": (spec.groups, spec.width_per_group) != (1, 64),
        "bottleneck": spec.block.bottleneck,
        "pads": other and spec.shortcut is Shortcut.A,
        "parallel": same and spec.block is Block.REP,
        "gates": same and spec.carry.gates,
        "exclusive": same and spec.carry is Carry.EXCLUSIVE,
        "half": same and spec.carry is Carry.HALF,
        "depth": spec.scale is BranchScale.DEPTH,
        "learned": spec.scale is BranchScale.LEARNED or spec.init is Init.FIXUP,
        "zero-gamma": spec.init is Init.ZERO_GAMMA,
        "fixup": spec.init is Init.FIXUP,
        "full": spec.block.order is Order.PREACT,
        "pre": spec.block.preact,
        "averages": other and spec.shortcut is Shortcut.D,
        "photographs": spec.stem.photographs,
        "deep": spec.stem is Stem.DEEP,
    }
    return {name for name, true in known.items() if true}


def _sizes(spec: NetSpec) -> dict[str, str]:
    norm = words(spec)["norm"]
    return {
        "net": "ResNet",
        "seed": str(spec.seed),
        "blocks": str(spec.blocks),
        "cut": listed("CUT", {name.removeprefix("layer") for name in spec.cut}, "blocks that pass F(x) alone"),
        "dropped": listed("DROPPED", {name.removeprefix("layer") for name in spec.dropped}, "blocks that pass their skip alone"),
        "channels": str(spec.in_channels),
        "width": str(spec.width),
        "features": str(spec.out_channels(len(spec.blocks) - 1)),
        "classes": str(spec.classes),
        "half": str(spec.half_width),
        "half_norm": f"{norm}({spec.half_width})" if norm else "nn.Identity()",
        "stem": "7, 2" if spec.stem is Stem.IMAGENET else "3",
        "side": "224" if spec.stem.photographs else "32",
        "groups": str(spec.groups),
        "per_group": str(spec.width_per_group),
        "survival": str(spec.survival / 100),
        "gate": str(spec.gate),
    }


def _layers(spec: NetSpec) -> list[tuple[str, str, str]]:
    """Each convolution's channels, in and out, and what else it is given."""
    if spec.block.bottleneck:
        inner = "planes" if (spec.groups, spec.width_per_group) == (1, 64) else "inner"
        grouped = f", {spec.groups}" if spec.groups > 1 else ""
        return [("entering", inner, "1"), (inner, inner, f"3, stride{grouped}"), (inner, "made", "1")]
    return [("entering", "planes", "3, stride"), ("planes", "planes", "3")][: spec.block.convs]


def _steps(spec: NetSpec) -> tuple[list[str], list[list[str]], list[str]]:
    """What is done before F, in F by lines, and behind the addition (He et al. 2016, figure 4)."""
    order, act, convs = spec.block.order, "act", spec.block.convs
    lines = [[f"conv{n}", f"bn{n}", act] for n in range(1, convs + 1)]
    before: list[str] = []
    behind: list[str] = []
    if order is Order.ORIGINAL:
        behind = [lines[-1].pop()]
    elif order is Order.NORM_AFTER:
        behind, lines[-1] = lines[-1][1:], lines[-1][:1]
    elif order is Order.RELU_ONLY:
        before = [act]
        lines = [[*([act] if n > 1 else []), f"conv{n}", f"bn{n}"] for n in range(1, convs + 1)]
    elif order is Order.PREACT:
        before = ["bn1", act]
        lines = [[*([f"bn{n}", act] if n > 1 else []), f"conv{n}"] for n in range(1, convs + 1)]
    return before, lines, behind


def _block(spec: NetSpec, same: bool, other: bool) -> dict[str, str]:
    """The block's layers, and what is done with them."""
    norm, act = words(spec)["norm"], words(spec)["act"]
    before, lines, behind = _steps(spec)

    def done(steps: list[str], to: str) -> str:
        return applied((act if step == "act" else step for step in steps if norm or not step.startswith("bn")), to)

    made, convs, read = "made" if spec.block.bottleneck else "planes", _layers(spec), "entered" if before else "x"
    layers = [(f"self.conv{n}", f"conv({a}, {b}, {rest})", a, b) for n, (a, b, rest) in enumerate(convs, 1)]
    full = spec.block.order is Order.PREACT
    written: list[str] = []
    for n, (conv, call, a, b) in enumerate(layers, 1):
        pair = [f"{conv} = {call}", *([f"self.bn{n} = {norm}({a if full else b})"] if norm else [])]
        written += reversed(pair) if full else pair
    calls = [done(line, "out" if n else read) for n, line in enumerate(lines)]
    identity = _identity(spec, same, other, read)
    joined = f"({identity})" if " if " in identity else identity
    last = calls.pop() if not spec.residual else "out" if spec.cut else f"out + {joined}"
    gamma = len(convs) - (spec.block.order is Order.NORM_AFTER)
    return {
        "says": _said(spec, [*before, *(step for line in lines for step in line)], behind),
        "parameters": "name: str, entering" if "named" in _holds(spec) else "entering",
        "layers": "\n".join(written),
        "gamma": f"bn{gamma}",
        "alpha": "zeros" if spec.scale is BranchScale.LEARNED else "ones",
        "made": made,
        "handed_on": "planes * 4" if spec.block.bottleneck else "planes",
        "same": "Parallel(planes)" if spec.block is Block.REP else "None",
        "other": _other(spec, made),
        "entered": done(before, "x"),
        "branch": "\n".join(f"out = {call}" for call in calls),
        "read": read,
        "if_same": " if self.downsample is None else out" if other else "",
        "identity": joined,
        "dropped_answer": done(behind, identity),
        "answer": done(behind, last),
        "scaled": "\n".join(
            f"block.conv{n}.weight.mul_(sum(BLOCKS) ** {-1 / (2 * len(convs) - 2)})" for n in range(1, len(convs))
        ),
        "last": f"conv{len(convs)}",
    }


def _said(spec: NetSpec, branch: list[str], behind: list[str]) -> str:
    """The block in the papers' words: conv3×3-BN-ReLU-conv3×3-BN, + x, ReLU."""
    kinds = {f"conv{n}": f"conv{rest[0]}×{rest[0]}" for n, (_, _, rest) in enumerate(_layers(spec), 1)}
    norm = {Norm.BATCH: "BN", Norm.GROUP: "GN", Norm.NONE: ""}[spec.norm]
    act = {"relu": "ReLU", "gelu": "GELU"}.get(spec.activation, str(spec.activation))

    def said(steps: list[str]) -> str:
        return "-".join(filter(None, (act if step == "act" else kinds.get(step, norm) for step in steps)))

    skip = "+ x" if spec.block is not Block.REP else f"+ {norm}(x) + conv1×1-{norm}" if norm else "+ x + conv1×1"
    return ", ".join(filter(None, (said(branch), skip if spec.residual else "", said(behind))))


def _other(spec: NetSpec, made: str) -> str:
    if spec.shortcut is Shortcut.A:
        return f"ZeroPad(entering, {made}, stride)"
    if spec.shortcut is Shortcut.D:
        return f"averaged(entering, {made}, stride)"
    norm = words(spec)["norm"]
    return f"nn.Sequential(conv(entering, {made}, 1, stride){f', {norm}({made})' if norm else ''})"


def _identity(spec: NetSpec, same: bool, other: bool, read: str) -> str:
    """What the skip brings to the addition."""
    carried = {
        Carry.HALF: "x * 0.5",
        Carry.HALF_SKIP: "x * 0.5",
        Carry.EXCLUSIVE: f"x * (1 - self.gating({read}))",
        Carry.GATED: f"x * (1 - self.gating({read}))",
        Carry.DROPOUT: "F.dropout(x, 0.5, self.training)",
    }.get(spec.carry, "x")
    projected = f"self.downsample({'x' if spec.shortcut is Shortcut.A else read})"
    if not same or spec.block is Block.REP:
        return projected
    return f"{carried} if self.downsample is None else {projected}" if other else carried


def _trunk(spec: NetSpec) -> dict[str, str]:
    """What stands before, between and behind the blocks."""
    norm, act, named = words(spec)["norm"], words(spec)["act"], "named" in _holds(spec)
    full = spec.block.order is Order.PREACT
    first = ["conv1", *(["bn1"] if norm and not full else []), *([] if spec.block.preact else [act])]
    stages = [
        f"self.layer{stage + 1} = stage("
        + (f'"{stage + 1}", ' if named else "")
        + f"{count}, {entering}, {spec.planes(stage)}{', stride=2' if stage else ''})"
        for stage, (count, entering) in enumerate(zip(spec.blocks, _entering(spec), strict=True))
    ]
    return {
        "stages": "\n".join(stages),
        "stages_applied": ", ".join(f"self.layer{stage + 1}" for stage in range(len(spec.blocks)))
        + ("," if len(spec.blocks) == 1 else ""),
        "stem_applied": applied(first, "x"),
        "end": applied([*(["norm"] if norm and full else []), act], "x"),
    }
