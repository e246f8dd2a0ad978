"""ResViz: residual networks you can take apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resviz.version import __version__

if TYPE_CHECKING:
    from torch import nn

    from resviz.watching.watch import Watch

__all__ = ["__version__", "watch"]


def watch(model: nn.Module, every: int = 10, activations: bool = True, updates: bool = True) -> Watch:
    """Look at every layer of any network while it trains in a loop of your own.

    Call `step(loss)` after the optimizer's step and before the gradients are cleared, `save("run.parquet")` or `save("run.html")`
    whenever you like, and `close()` at the end. Every `every`-th step is looked at; `updates` keeps a copy of the weights during such
    a step, `activations` hooks on the layers. Raises `ValueError` where there is nothing to watch.
    """
    from resviz.watching.watch import Watch  # and PyTorch with it, for those alone who train

    return Watch(model, every, activations, updates)
