"""What a network of anybody's is shown where nothing is given: as much as its first layer tells."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import UninitializedParameter

from resviz.data.images import probe_batch
from resviz.guard import brief
from resviz.probes.gradients import norms_of
from resviz.results import GradientProfile

__all__ = ["answer_of", "batch_for", "layer_names", "profile_of"]

_BATCH = 4  # enough for a batch norm, whatever is left of a picture


def batch_for(model: nn.Module) -> Tensor:
    """Digits, or numbers drawn from seed 0, of the shape that its first layer reads; raises `ValueError` where that does not tell."""
    leaves = (module for module in model.modules() if not any(module.children()))
    first = next((leaf for leaf in leaves if next(leaf.parameters(), None) is not None), None)
    generator = torch.Generator().manual_seed(0)
    if isinstance(first, nn.Conv2d):
        side = 224 if max(first.stride) > 1 else 32
        images, _ = probe_batch(_BATCH if side < 224 else 2, first.in_channels, side, 10)
        return images
    if isinstance(first, nn.Linear):
        return torch.randn(_BATCH, first.in_features, generator=generator)
    if isinstance(first, nn.Embedding):
        return torch.randint(first.num_embeddings, (_BATCH, 16), generator=generator)
    kind = "nothing with weights" if first is None else type(first).__name__
    raise ValueError(
        f"{type(model).__name__} begins with {kind}, which does not tell what it reads; give a batch: show(model, batch)"
    )


def answer_of(returned: object) -> Tensor | None:
    """The first tensor of what a model returns, as its answer."""
    if isinstance(returned, Tensor):
        return returned
    inside = returned.values() if isinstance(returned, dict) else returned if isinstance(returned, tuple | list) else ()
    return next((found for each in inside if (found := answer_of(each)) is not None), None)


def layer_names(model: nn.Module) -> dict[str, str]:
    """The name of each parameter with two dimensions or more, and what its layer is called: by the module where it is the only one."""
    matrices = [name for name, each in model.named_parameters() if each.dim() > 1 and each.is_floating_point()]
    owners = [name.rpartition(".")[0] for name in matrices]
    return {name: owner if owner and owners.count(owner) == 1 else name for name, owner in zip(matrices, owners, strict=True)}


def profile_of(model: nn.Module, x: Tensor, targets: Tensor | None) -> tuple[GradientProfile, str, float, tuple[str, ...]]:
    """One backward pass: every layer's gradient, the loss in words, what guessing would cost, and layers that the answer does without.

    The loss is the cross-entropy with `targets`, or with the classes in turn, where one row of numbers is answered for each of the
    batch; else half the mean square of the answer. The model's weights, gradients, statistics and hooks, and the process's
    random numbers, are afterwards what they were. Raises `ValueError` where the model does not take the batch.
    """
    if (
        unborn := next((name for name, each in model.named_parameters() if isinstance(each, UninitializedParameter)), None)
    ) is not None:
        raise ValueError(f"{unborn} has no shape before its first batch; call the model once, then show it")
    parameters = {
        name: each.detach().requires_grad_() if each.is_floating_point() else each for name, each in model.named_parameters()
    }
    buffers = {name: each.clone() for name, each in model.named_buffers()}
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(0)
        try:
            answer = answer_of(functional_call(model, (parameters, buffers), (x,)))
        except Exception as error:  # a network of anybody's may raise whatever it likes
            raise ValueError(
                f"{type(model).__name__} does not take a batch of shape {tuple(x.shape)} ({type(error).__name__}: {brief(error)}); give one "
                "that it reads: show(model, batch)"
            ) from error
        if answer is None:
            raise ValueError(f"{type(model).__name__} returns no tensor, so that it has no gradient to look at")
        if answer.dim() == 2 and answer.shape[1] > 1:
            classes = answer.shape[1]
            labels = torch.arange(len(answer), device=answer.device) % classes if targets is None else targets.to(answer.device)
            loss, guess = nn.functional.cross_entropy(answer, labels), math.log(classes)
            said = "the cross-entropy" if targets is not None else "the cross-entropy with the first classes in turn"
        else:
            loss, said = answer.float().square().mean() / 2, "half the mean square of the answer"
            guess = loss.item()
        names = layer_names(model)
        asked = [parameters[name] for name in names]
        found = torch.autograd.grad(loss, asked, allow_unused=True) if asked and loss.requires_grad else [None] * len(asked)
    gradients = {called: each for called, each in zip(names.values(), found, strict=True) if each is not None}
    apart = tuple(called for called in names.values() if called not in gradients)
    return GradientProfile(tuple(gradients), norms_of(tuple(gradients.values())), loss.item()), said, guess, apart
