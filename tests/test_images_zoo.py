from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from resviz.attribution.methods.table import METHODS
from resviz.attribution.question import Asked, Case, attribute
from resviz.data.uploads import ImageError, decode
from resviz.zoo.bundled import bundled_names, card, load_bundled
from resviz.zoo.checkpoint import Answers, CheckpointError, infer_spec, load


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_format_is_decoded(kind: str) -> None:
    picture = decode(encoded(Image.new("RGB", (40, 30), (200, 40, 40)), kind)).image
    assert picture.size == (40, 30)
    assert np.abs(np.asarray(picture)[15, 20].astype(int) - (200, 40, 40)).max() < 12


def test_odd_pictures_come_out_right() -> None:
    deep = Image.fromarray(np.full((4, 4), 32768, dtype=np.uint16))
    assert np.asarray(decode(encoded(deep, "PNG")).image)[0, 0, 0] == 128
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert np.asarray(decode(encoded(clear, "PNG")).image)[0, 0].tolist() == [255, 255, 255]
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif)).image.size == (20, 40)
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    assert "2 frames" in decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])).notes[0]


def test_bad_uploads_are_one_sentence() -> None:
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)), "JPEG")
    bomb = encoded(Image.new("1", (12000, 12000)), "PNG")
    for data, words in (
        (b"", "empty"),
        (b"hello", "no picture"),
        (whole[:800], "damaged"),
        (bomb, "million"),
        (b"<svg/>", "SVG"),
    ):
        with pytest.raises(ImageError, match=words):
            decode(data)


@pytest.mark.parametrize("name", bundled_names())
def test_bundled_checkpoints_load_and_a_foreign_layout_is_recognised(name: str) -> None:
    classifier = load_bundled(name)
    guessing = 100 * (1 - 1 / len(classifier.categories))
    assert 0 < card(name)["measured"]["test_error"] < 0.7 * guessing
    foreign = {"module." + key.replace("fc.", "linear."): value for key, value in classifier.net.state_dict().items()}
    buffer = io.BytesIO()
    torch.save({"state_dict": foreign}, buffer)
    other = load(buffer.getvalue(), "net.th", Answers(plain=not classifier.spec.residual))
    assert other.spec == classifier.spec
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(other.net(x), classifier.net(x))


def test_a_mismatch_names_its_keys() -> None:
    with pytest.raises(CheckpointError, match=r"conv1\.weight"):
        infer_spec({"features.0.weight": torch.zeros(1)})


@pytest.mark.parametrize("method", METHODS)
def test_methods_run_and_leave_the_shared_network_alone(method: str) -> None:
    classifier = load_bundled("resnet20-cifar10")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    result = attribute(Case(classifier, picture, 3), Asked(method))
    assert result.values.shape == (32, 32)
    assert np.isfinite(result.values).all()
    assert np.abs(result.values).max() > 0
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in classifier.net.modules())
    assert all(p.requires_grad for p in classifier.net.parameters()) or not any(
        p.requires_grad for p in classifier.net.parameters()
    )


def test_cancelling_ends_the_run_at_the_next_forward_pass() -> None:
    def stop(fraction: float) -> None:
        raise InterruptedError

    classifier = load_bundled("resnet20-cifar10")
    with pytest.raises(InterruptedError):
        attribute(Case(classifier, Image.new("RGB", (32, 32)), 0), Asked("occlusion"), stop)
    assert not any(m._forward_pre_hooks for m in classifier.net.modules())
