"""Pictures of somebody's own, sorted by class: read, checked, and parted into those to learn from and those held out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

import torch
from PIL import Image

from resviz.data.unpack import Entry, hidden
from resviz.data.uploads import ImageError, decode
from resviz.guard import quoted
from resviz.progress import Tick, quiet
from resviz.spec.transfer import FEWEST, MOST

__all__ = ["Album", "Snapshot", "album_of", "example", "read_album", "snapshot"]

_SIDE: Final = 256  # pixels that the shorter side keeps
_REASONS: Final = 5  # that an error names
_TILES: Final = 4, 3  # across and down: what the example cuts each picture into


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One picture, its shorter side at most 256 px; `key` tells its pixels from all others'."""

    name: str
    image: Image.Image
    key: str

    @cached_property
    def thumbnail(self) -> bytes:
        """A small JPEG, 72 px square."""
        small = self.image.convert("RGB").resize((72, 72), Image.Resampling.BILINEAR)
        small.save(buffer := io.BytesIO(), "JPEG", quality=88)
        return buffer.getvalue()


@dataclass(frozen=True, eq=False)
class Album:
    """Pictures by class, and what was left out of them, a sentence each."""

    classes: Mapping[str, tuple[Snapshot, ...]]
    said: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.classes.values()))

    @property
    def key(self) -> str:
        """What tells it from every other one."""
        every = "\n".join(f"{name}\t{each.key}" for name, pictures in self.classes.items() for each in pictures)
        return hashlib.blake2b(every.encode(), digest_size=16).hexdigest()

    def added(self, name: str, pictures: Iterable[Snapshot], said: Sequence[str] = ()) -> Album:
        """With these pictures in the class too, each once."""
        every = {each.key: each for each in (*self.classes.get(name, ()), *pictures)}
        return Album({**self.classes, name: tuple(every.values())}, (*self.said, *said))

    def without(self, name: str, key: str | None = None) -> Album:
        """Without one picture of a class, or without the class where no picture is named."""
        kept = tuple(each for each in self.classes.get(name, ()) if key is not None and each.key != key)
        rest = {other: pictures for other, pictures in self.classes.items() if other != name or kept}
        return replace(self, classes={**rest, name: kept} if kept else rest)

    def usable(self, most: int = MOST) -> Album:
        """What can be learned from: every picture once and of one class, at most `most`, and at least five a class.

        Raises ValueError where fewer than two such classes remain.
        """
        classes, said = _apart(self.classes)
        if sum(map(len, classes.values())) > most:
            each = max(FEWEST, most // len(classes))
            said.append(
                f"{sum(map(len, classes.values())):,} pictures are more than the {most:,} that are kept; the first {each} of each class stay"
            )
            classes = {name: pictures[:each] for name, pictures in classes.items()}
        few = {name: len(pictures) for name, pictures in classes.items() if len(pictures) < FEWEST}
        said += [
            f"{quoted(name)} is left out: it has {count} picture{'' if count == 1 else 's'} of its own that can be read, a class needs {FEWEST}"
            for name, count in few.items()
        ]
        kept = {name: pictures for name, pictures in classes.items() if name not in few}
        if len(kept) < 2:
            why = "; ".join([*said, *self.said][:_REASONS])
            there = f"there is only {quoted(next(iter(kept)))}" if kept else "there is none"
            raise ValueError(
                f"two classes of at least {FEWEST} pictures each are needed, and {there}{f' ({why})' if why else ''}; add pictures to another class"
            )
        return Album(dict(sorted(kept.items())), (*self.said, *said))

    def parts(self, share: float, seed: int) -> tuple[list[tuple[int, Snapshot]], list[tuple[int, Snapshot]]]:
        """(label, picture) of those to learn from and of those held out: of each class this share, at least one, drawn by the seed."""
        learned, held = [], []
        for label, (name, pictures) in enumerate(self.classes.items()):
            drawn = int.from_bytes(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=4).digest())
            order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(drawn)).tolist()
            out = min(len(pictures) - 2, max(1, round(share * len(pictures))))
            held += [(label, pictures[i]) for i in order[:out]]
            learned += [(label, pictures[i]) for i in order[out:]]
        return learned, held


def _apart(classes: Mapping[str, Sequence[Snapshot]]) -> tuple[dict[str, tuple[Snapshot, ...]], list[str]]:
    """Each picture once, those of several classes in none; and what was left out, in words."""
    owners: dict[str, dict[str, int]] = {}
    for name, pictures in classes.items():
        for each in pictures:
            counts = owners.setdefault(each.key, {})
            counts[name] = counts.get(name, 0) + 1
    shared: dict[tuple[str, ...], int] = {}
    for counts in owners.values():
        if len(counts) > 1:
            shared[tuple(counts)] = shared.get(tuple(counts), 0) + 1
    said = [
        f"{' and '.join(map(quoted, names))} hold {count} of the same pictures, which are left out of both"
        for names, count in shared.items()
    ]
    twice = sum(count - 1 for counts in owners.values() if len(counts) == 1 for count in counts.values())
    if twice:
        said.append(f"{twice} picture{' is there' if twice == 1 else 's are there'} twice and counted once")
    once = {
        name: tuple({each.key: each for each in pictures if len(owners[each.key]) == 1}.values())
        for name, pictures in classes.items()
    }
    return once, said


def snapshot(name: str, image: Image.Image) -> Snapshot:
    """A decoded picture as an album keeps it."""
    scale = _SIDE / min(image.size)
    small = image.convert("RGB")
    if scale < 1:
        small = small.resize([max(_SIDE, round(n * scale)) for n in image.size], Image.Resampling.LANCZOS)
    return Snapshot(name, small, hashlib.blake2b(repr(small.size).encode() + small.tobytes(), digest_size=12).hexdigest())


def read_album(entries: Iterable[Entry], tick: Tick = quiet, name: str | None = None, most: int = MOST) -> Album:
    """Pictures by the folder they lie in, which names their class; of the class `name` where that is given.

    What is no picture is left out, and said. No more than `most` of a class are read.
    """
    found: dict[str, list[Snapshot]] = {}
    said: list[str] = []
    listed = [entry for entry in entries if not hidden(entry.name)]
    passed: dict[str, int] = {}
    for n, entry in enumerate(listed):
        tick(n / len(listed), f"{n:,} of {len(listed):,} pictures")
        title = (PurePosixPath(entry.name.replace("\\", "/")).parent.name if name is None else name).strip()
        held = found.setdefault(title, [])
        if len(held) >= most:
            passed[title] = passed.get(title, 0) + 1
            continue
        try:
            held.append(snapshot(entry.name, decode(entry.read(), tick).image))
        except ImageError as error:
            said.append(f"{quoted(entry.name)}: {error}")
    said += [f"{quoted(title)}: {count:,} pictures beyond the first {most:,} are left out" for title, count in passed.items()]
    if loose := found.pop("", []):
        said.append(
            f"{len(loose)} picture{' lies' if len(loose) == 1 else 's lie'} in no folder and {'is' if len(loose) == 1 else 'are'} left out: pack a folder for each class, which names it"
        )
    return Album({title: tuple(pictures) for title, pictures in found.items()}, tuple(said))


def album_of(images: Mapping[str, Iterable[Image.Image]]) -> Album:
    """An album of decoded pictures."""
    return Album(
        {name: tuple(snapshot(f"{name} {n}", image) for n, image in enumerate(each, 1)) for name, each in images.items()}
    )


def example() -> Album:
    """scikit-image's photographs of brick, grass and gravel, each cut into twelve pieces that share no pixel."""
    import skimage

    across, down = _TILES
    found = {}
    for name in ("brick", "grass", "gravel"):
        whole = decode((Path(skimage.__file__).parent / "data" / f"{name}.png").read_bytes()).image
        width, height = whole.width // across, whole.height // down
        corners = [(i * width, j * height) for j in range(down) for i in range(across)]
        found[name] = [whole.crop((left, top, left + width, top + height)) for left, top in corners]
    return album_of(found)
