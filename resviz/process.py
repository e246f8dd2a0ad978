"""What is on for the whole process: asked for by the app, the command line and the decoder, never by an import."""

from __future__ import annotations

import sys
from functools import cache

from resviz.allocator import few_arenas

__all__ = ["guard_pictures", "settle"]


@cache
def settle() -> None:
    """Set, once, how threads take turns and how many heaps they have.

    Every operation of a training step lets go of Python's lock; behind a busy thread it would wait 5 ms for it each time.
    """
    sys.setswitchinterval(0.0005)
    few_arenas()


@cache
def guard_pictures(most: int) -> None:
    """Have Pillow refuse, once and for all, what has twice `most` pixels by its header, and keep its own words to itself.

    The decoder's own caps are lower and say more, as do its sentences about damage; but a GIF takes the memory of its first frame while
    it is opened.
    """
    import warnings

    from PIL import Image

    Image.MAX_IMAGE_PIXELS = most
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
