"""Damage that any file can take: bytes changed, lost, doubled or foreign, and numbers that lie."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

__all__ = ["NAMES", "NUMBERS", "damaged"]

NUMBERS = (0, 1, 7, 127, 128, 255, 256, 4096, 32767, 32768, 65535, 65536, 10**6, 50_000_000, 2**30, 2**31 - 1, 2**31, 2**32 - 1)
NAMES = (
    "a.png", "", ".", "..", "../../x.png", "/abs/x.png", "C:\\x.png", "a\nb.png", "a\0b.png", "=1+1.png", "é😀.png", "n" * 3000,
    "![i](http://e.x).png", "<script>.png", "con", "a/" * 400 + "x.png", "\u202egnp.a", "%s%n.png", "{0}.png", "a.png ", "\ud7ff.png",
)  # fmt: skip


def _flip(data: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: Random) -> None:
    for _ in range(rng.choice((1, 2, 16))):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _number(data: bytearray, rng: Random) -> None:
    """A number of two, four or eight bytes, most often near the beginning, where headers are."""
    size = rng.choice((2, 4, 4, 8))
    text = (rng.choice(NUMBERS) % 256**size).to_bytes(size, rng.choice(("little", "big")))
    at = rng.randrange(rng.choice((min(len(data), 64), min(len(data), 400), len(data))))
    data[at : at + len(text)] = text


def _cut(data: bytearray, rng: Random) -> None:
    del data[rng.choice((rng.randrange(len(data)), len(data) - rng.randrange(1, min(len(data), 40)))) :]


def _lose(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 4, 16, 200))]


def _double(data: bytearray, rng: Random) -> None:
    at, size = rng.randrange(len(data)), rng.choice((1, 4, 50, len(data)))
    data[at:at] = data[at : at + size] * rng.choice((1, 1, 5))


def _insert(data: bytearray, rng: Random) -> None:
    data[(at := rng.randrange(len(data))) : at] = rng.randbytes(rng.choice((1, 2, 8, 100)))


def _blank(data: bytearray, rng: Random) -> None:
    at, size = rng.randrange(len(data)), rng.choice((4, 16, 100, 1000))
    data[at : at + size] = bytes([rng.choice((0, 0xFF))]) * len(data[at : at + size])


def _follow(data: bytearray, rng: Random) -> None:
    data += rng.choice((b"\0" * 300, rng.randbytes(64), bytes(data)))


_WAYS: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip, _flip, _overwrite, _number, _number, _number, _cut, _lose, _double, _insert, _blank, _follow,
)  # fmt: skip


def damaged(data: bytes, rng: Random) -> tuple[str, bytes]:
    """The file with one to three kinds of damage, and their names."""
    changed, names = bytearray(data), []
    for way in rng.choices(_WAYS, k=rng.choice((1, 1, 1, 2, 3))):
        if len(changed) > 1:
            way(changed, rng)
            names.append(way.__name__.strip("_"))
    return "+".join(names), bytes(changed)
