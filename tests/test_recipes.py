"""Schedules at their corners, and augmented batches beside torchvision's own crops and flips."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torchvision.transforms.v2 import functional as vision

from resviz.data.images import ImageSet
from resviz.training.recipes import RECIPES, CropFlip, OneCycle, ResizedCropFlip


def numbered(count: int, side: int) -> ImageSet:
    """Random pictures whose label is their number, so that a batch says which they were."""
    pixels = torch.randint(256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return ImageSet(pixels, torch.arange(count), tuple(map(str, range(count))), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


@pytest.mark.parametrize(
    ("step", "depth", "rate"),
    [(0, 56, 0.1), (31_999, 56, 0.1), (32_000, 56, 0.01), (47_999, 56, 0.01), (48_000, 56, 0.001), (63_999, 56, 0.001),
     (0, 110, 0.01), (399, 110, 0.01), (400, 110, 0.1), (0, 109, 0.1)],
)  # fmt: skip
def test_the_papers_schedule(step: int, depth: int, rate: float) -> None:
    assert RECIPES["he2015-cifar"].lr_at(step, 64_000, depth) == pytest.approx(rate)


def test_one_cycle_rises_for_a_quarter_and_falls_to_nothing() -> None:
    rates = [OneCycle()(step, 1000, 18) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[125] == pytest.approx(0.55)
    assert rates[250] == pytest.approx(1.0)
    assert rates[625] == pytest.approx(0.5)
    assert rates[999] < 1e-4
    assert max(rates) == rates[250]
    assert all(a < b for a, b in pairwise(rates[:251]))
    assert all(a > b for a, b in pairwise(rates[250:]))
    assert RECIPES["photographs"].lr_at(250, 1000, 18) == pytest.approx(0.1)


def test_padded_crops_are_torchvisions() -> None:
    """Each picture is one of the 81 × 2 crops and flips that torchvision makes of it, and all kinds of them come."""
    images = numbered(64, 12)
    seen = set()
    for batch, labels in CropFlip().batches(images, 16, seed=3, side=12):
        assert batch.shape == (16, 3, 12, 12)
        for picture, label in zip(batch, labels.tolist(), strict=True):
            padded = vision.pad(images.images[label], [4, 4, 4, 4])
            every = {
                (top, left, flip): vision.horizontal_flip(cut) if flip else cut
                for top in range(9)
                for left in range(9)
                for cut in [vision.crop(padded, top, left, 12, 12)]
                for flip in (False, True)
            }
            plain = vision.normalize(
                vision.to_dtype(torch.stack([*every.values()]), torch.float32, scale=True), images.mean, images.std
            )
            off = (plain - picture).abs().amax((1, 2, 3))
            assert off.min() < 1e-5
            seen.add(list(every)[int(off.argmin())])
    assert len(seen) > 40  # of 64 pictures
    assert {flip for *_, flip in seen} == {False, True}
    assert len({top for top, *_ in seen}) == len({left for _, left, _ in seen}) == 9


def test_an_epoch_shows_every_picture_once_and_another_seed_others() -> None:
    images = numbered(64, 12)
    for augmentation in (CropFlip(), ResizedCropFlip((8, 12))):
        epochs = [list(augmentation.batches(images, 16, seed, 12)) for seed in (1, 1, 2)]
        assert sorted(torch.cat([labels for _, labels in epochs[0]]).tolist()) == list(range(64))
        assert all(torch.equal(a, b) for (a, _), (b, _) in zip(epochs[0], epochs[1], strict=True))
        assert not torch.equal(epochs[0][0][1], epochs[2][0][1])


def test_resized_crops_keep_between_a_third_and_all_of_the_picture() -> None:
    """On a picture of two ramps a crop's own slopes say how much of the width and of the height it holds, and whether it is flipped."""
    side = 64
    ramp = torch.arange(side, dtype=torch.float32) * 255 / (side - 1)
    picture = (
        torch.stack([ramp.expand(side, side), ramp[:, None].expand(side, side), torch.zeros(side, side)]).round().to(torch.uint8)
    )
    images = ImageSet(picture.expand(200, 3, side, side), torch.zeros(200, dtype=torch.long), ("one",), (0.0,) * 3, (1.0,) * 3)
    (batch, _), *_ = ResizedCropFlip((side,)).batches(images, 200, seed=0, side=side)
    middle = batch[:, :, side // 4 : 3 * side // 4, side // 4 : 3 * side // 4]  # away from what is reflected at the edges
    width = (middle[:, 0].diff(dim=2).mean((1, 2)) * (side - 1)).numpy()
    height = (middle[:, 1].diff(dim=1).mean((1, 2)) * (side - 1)).numpy()
    assert 60 < (width < 0).sum() < 140  # flipped, but never upside down
    assert (height > 0).all()
    area, ratio = abs(width) * height, abs(width) / height
    assert 0.3 < area.min() < 0.5
    assert 0.9 < area.max() < 1.05
    assert 0.7 < ratio.min() < 0.85
    assert 1.15 < ratio.max() < 1.4
