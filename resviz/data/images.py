"""Images to probe and to train on, held as one uint8 tensor and augmented a batch at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from resviz.data.unpack import hidden
from resviz.data.uploads import MAX_BYTES, ImageError, decode
from resviz.guard import quoted
from resviz.machine import cores

__all__ = [
    "ImageSet",
    "cifar10",
    "data_root",
    "digits",
    "held_out",
    "image_folder",
    "noise_batch",
    "picture_batch",
    "probe_batch",
    "split_folder",
    "square",
]

CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images: (N, C, H, W) uint8, or float32 where they are points; (N,) int64, or (N, H, W) where every pixel has a class; and how to normalise them.

    `resize` is what the shorter side was resized to before the centre was cropped; None where nothing was. `left_out` names
    what lay beside the images and could not be read.
    """

    images: Tensor
    labels: Tensor
    categories: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: int | None = None
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, count: int, seed: int = 0) -> ImageSet:
        """A fixed random choice of images; all of them where there are no more."""
        if count >= len(self):
            return self
        return self.part(torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))[:count])

    def part(self, chosen: Tensor | slice) -> ImageSet:
        """The images at these places."""
        return replace(self, images=self.images[chosen], labels=self.labels[chosen])

    def to(self, device: torch.device | str) -> ImageSet:
        """The same images and labels in a device's memory, where their batches are then made."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def centred(self, resize: int, side: int) -> ImageSet:
        """Every image resized and its centre cropped to `side`: what a network is asked about after training."""
        from torchvision.transforms.v2 import functional as v2

        images = v2.center_crop(v2.resize(self.images, [resize, resize], antialias=True), [side, side])
        return replace(self, images=images, resize=resize)

    def normalised(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) to float, zero mean and unit variance, channels-last; on the images' device."""
        mean = torch.tensor(self.mean, device=images.device).view(1, -1, 1, 1) * 255
        scale = 1 / (torch.tensor(self.std, device=images.device).view(1, -1, 1, 1) * 255)
        return ((images.float() - mean) * scale).contiguous(memory_format=torch.channels_last)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Un-augmented batches in order."""
        for start in range(0, len(self), size):
            yield self.normalised(self.images[start : start + size]), self.labels[start : start + size]

    def shuffled(self, size: int, seed: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch of whole batches, from the `first` on, un-augmented; depends on the seed alone."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        for start in range(first * size, len(self) - size + 1, size):
            chosen = order[start : start + size]
            yield self.normalised(self.images[chosen]), self.labels[chosen]

    def crop_flip(self, size: int, seed: int, pad: int = 4, flip: bool = True, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch with the paper's augmentation: pad, random crop, random flip, which `flip` leaves out where False.

        Depends on the seed alone, so an interrupted epoch can be taken up again at any batch, the `first`.
        """
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=generator)
        side = self.images.shape[-1]
        tops = torch.randint(2 * pad + 1, (len(self),), generator=generator)
        lefts = torch.randint(2 * pad + 1, (len(self),), generator=generator)
        flips = torch.rand(len(self), generator=generator) < (0.5 if flip else 0.0)
        # the choices are drawn on the processor, so that a seed means the same on every device
        order, tops, lefts, flips = (each.to(self.images.device) for each in (order, tops, lefts, flips))
        steps = torch.arange(side, device=self.images.device)
        padded = F.pad(self.images, (pad, pad, pad, pad))
        for start in range(first * size, len(self) - size + 1, size):
            chosen = order[start : start + size]
            rows = tops[chosen, None] + steps  # (B, H)
            columns = lefts[chosen, None] + torch.where(flips[chosen, None], side - 1 - steps, steps)  # (B, W)
            # indexing around the channel slice puts it last: (B, H, W, C), which is channels-last memory
            cropped = padded[chosen[:, None, None], :, rows[:, :, None], columns[:, None, :]]
            yield self.normalised(cropped.permute(0, 3, 1, 2)), self.labels[chosen]

    def resized_crop_flip(self, size: int, seed: int, side: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One shuffled epoch of Inception-style crops (35–100 % of the area, sides 3:4 to 4:3) resized to `side`, and flips.

        Depends on the seed alone, as `crop_flip` does.
        """
        generator = torch.Generator().manual_seed(seed)
        count = len(self)
        order = torch.randperm(count, generator=generator)
        area = 0.35 + 0.65 * torch.rand(count, generator=generator)
        ratio = torch.exp((2 * torch.rand(count, generator=generator) - 1) * math.log(4 / 3))
        # half sides of the crop in a square that runs from -1 to 1, which is what affine_grid counts in
        half = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp(max=1)  # (N, 2)
        centre = (2 * torch.rand(count, 2, generator=generator) - 1) * (1 - half)
        half[:, 0] *= torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
        theta = torch.cat([torch.diag_embed(half), centre[:, :, None]], 2)  # (N, 2, 3)
        order, theta = order.to(self.images.device), theta.to(self.images.device)
        for start in range(0, count - size + 1, size):
            chosen = order[start : start + size]
            grid = F.affine_grid(theta[chosen], [size, self.images.shape[1], side, side], align_corners=False)
            crops = F.grid_sample(self.normalised(self.images[chosen]), grid, padding_mode="reflection", align_corners=False)
            yield crops.contiguous(memory_format=torch.channels_last), self.labels[chosen]


def square(image: Image.Image, side: int, resize: int | None = None) -> np.ndarray:
    """The shorter side resized (to `side` unless told) and the centre cropped: (side, side, 3)."""
    if image.size != (side, side):
        scale = (resize or side) / min(image.size)
        image = image.resize([max(side, round(n * scale)) for n in image.size], Image.Resampling.BILINEAR)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    return np.asarray(image)


def _decode(path: Path, resize: int | None, side: int | None) -> np.ndarray | str:
    """A picture's pixels as the Explain page would read them, or why there are none."""
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise ImageError(f"The file has {size >> 20} MB and the limit is {MAX_BYTES >> 20} MB; save it smaller.")
        image = decode(path.read_bytes()).image
    except (ImageError, OSError) as error:
        return str(error)
    return np.asarray(image) if side is None else square(image, side, resize)


def _classes(root: Path) -> dict[str, list[Path]]:
    """Every file by its class's folder, in order, without what systems and editors hide there."""
    folders = sorted(each.name for each in root.iterdir() if each.is_dir() and not hidden(each.name)) if root.is_dir() else []
    return {name: _below(root / name) for name in folders}


def _below(folder: Path) -> list[Path]:
    """Every file below a folder, linked folders among them, folder by folder: the order that seeds of old cards shuffle."""
    found = sorted(os.walk(folder, followlinks=True))
    paths = (Path(place) / name for place, _, names in found for name in sorted(names))
    return [path for path in paths if not hidden(str(path.relative_to(folder)))]


def image_folder(root: Path, side: int | None = None, resize: int | None = None) -> ImageSet:
    """Decode `ROOT/CLASS/*.jpg` once, the shorter side resized (to `side` unless told) and the centre cropped to `side`.

    What cannot be read is named in `left_out`. Raises ValueError where nothing is found.
    """
    files = _classes(root)
    paths = [path for below in files.values() for path in below]
    with ThreadPoolExecutor(cores()) as pool:
        read = dict(zip(paths, pool.map(lambda path: _decode(path, resize, side), paths), strict=True))
    pixels = {path: found for path, found in read.items() if not isinstance(found, str)}
    left_out = [f"{path.relative_to(root)}: {found}" for path, found in read.items() if isinstance(found, str)]
    classes = {name: [path for path in below if path in pixels] for name, below in files.items()}
    left_out += [f"{name}: the folder holds no image" for name, below in classes.items() if not below]
    names = [name for name, below in classes.items() if below]
    if not names:
        why = f" ({left_out[0]})" if left_out else ""
        raise ValueError(f"{root} holds no images as CLASS/NAME.jpg{why}; name a folder laid out like that")
    if len({array.shape for array in pixels.values()}) > 1:
        raise ValueError(f"{root} holds images of different sizes; name one with --size")
    images = torch.from_numpy(np.stack(list(pixels.values()))).permute(0, 3, 1, 2).contiguous()
    small = images.shape[-1] <= 64
    return ImageSet(
        images=images,
        labels=torch.tensor([label for label, name in enumerate(names) for _ in classes[name]]),
        categories=tuple(names),
        mean=CIFAR_MEAN if small else IMAGENET_MEAN,
        std=CIFAR_STD if small else IMAGENET_STD,
        resize=resize,
        left_out=tuple(left_out),
    )


def held_out(root: Path, side: int | None = None, resize: int | None = None) -> ImageSet:
    """The images of `ROOT/test` or `ROOT/val`, shown as `image_folder` does."""
    folder = next((root / name for name in ("test", "val") if (root / name).is_dir()), None)
    if folder is None:
        raise ValueError(f"{root} needs a folder test or val with a folder per class in it")
    return image_folder(folder, side, resize)


def split_folder(root: Path, side: int | None = None, spare: float = 1.0) -> tuple[ImageSet, ImageSet]:
    """A folder with `train` and one of `test` or `val` in it, whose classes are matched by name.

    `spare` keeps training images that much larger than `side`, so that random crops have something to choose from, and
    shows the test images as `Preprocessing` will: the shorter side a little larger than the crop.
    Raises ValueError where a class is in one of the two alone.
    """
    if not root.is_dir():
        raise ValueError(f"{root} is no folder; give one with the folders train and test (or val) in it")
    if not (root / "train").is_dir():
        raise ValueError(f"{root} needs the folders train and test (or val), each with a folder per class")
    resize = None if side is None or spare == 1.0 else round(side * 256 / 224)
    train = image_folder(root / "train", side if resize is None or side is None else round(side * spare))
    return _matched(train, replace(held_out(root, side, resize), mean=train.mean, std=train.std))


def _matched(train: ImageSet, test: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Both, where they hold the same classes; images are labelled by the names' order, so the labels are then the same too."""
    for one, other, where in ((train, test, "test or val"), (test, train, "train")):
        if missing := [name for name in one.categories if name not in other.categories]:
            names = ", ".join(map(quoted, missing[:5])) + (" …" if len(missing) > 5 else "")
            raise ValueError(f"the folder {where} has no images of {names}; put some there, or take the class out of the other")
    return train, test


def data_root() -> Path:
    """Where data sets lie that were downloaded: RESVIZ_DATA, or ~/.cache/resviz."""
    return Path(os.environ.get("RESVIZ_DATA") or Path.home() / ".cache" / "resviz")


def cifar10(root: Path) -> tuple[ImageSet, ImageSet]:
    """torchvision's CIFAR-10, downloaded with progress where it is not yet there."""
    from torchvision.datasets import CIFAR10

    sets = [CIFAR10(str(root), train=train, download=True) for train in (True, False)]
    train, test = (
        ImageSet(
            torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous(),
            torch.tensor(data.targets),
            tuple(data.classes),
            CIFAR_MEAN,
            CIFAR_STD,
        )
        for data in sets
    )
    return train, test


@lru_cache(maxsize=1)
def digits() -> ImageSet:
    """scikit-learn's 1,797 handwritten digits (Alpaydin & Kaynak 1998), 8×8 grey."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    return ImageSet(torch.from_numpy(pixels)[:, None], torch.from_numpy(data.target), tuple("0123456789"), (0.3053,), (0.3763,))


def noise_batch(size: int, channels: int, side: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Standard normal pixels with random labels: (size, channels, side, side), (size,)."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, channels, side, side, generator=generator)
    return images, torch.randint(classes, (size,), generator=generator)


@lru_cache(maxsize=8)
def probe_batch(size: int, channels: int, side: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Handwritten digits, enlarged to `side` and repeated over the channels; a label beyond `classes` wraps around.

    Whoever asks again is handed the same tensors.
    """
    chosen = digits().subset(size, seed)
    images = chosen.normalised(chosen.images)
    if side != images.shape[-1]:
        images = F.interpolate(images, size=(side, side), mode="bilinear", antialias=False)
    return images.expand(-1, channels, -1, -1).contiguous(), chosen.labels % classes


def picture_batch(
    picture: Image.Image, size: int, channels: int, side: int, classes: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Random crops and flips of one picture with random labels, standardised together."""
    from torchvision.transforms import v2

    generator = torch.Generator().manual_seed(seed)
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float()  # (3, H, W)
    pixels = v2.functional.resize(pixels, [side * 2, side * 2], antialias=True)
    tops, lefts = (torch.randint(side + 1, (size,), generator=generator) for _ in range(2))
    crops = torch.stack([pixels[:, t : t + side, left : left + side] for t, left in zip(tops, lefts, strict=True)])
    flips = torch.rand(size, generator=generator) < 0.5
    crops[flips] = crops[flips].flip(-1)
    crops = (crops - crops.mean()) / crops.std().clamp(min=1e-6)
    crops = crops if channels == 3 else crops.mean(1, keepdim=True).expand(-1, channels, -1, -1).contiguous()
    return crops, torch.randint(classes, (size,), generator=generator)
