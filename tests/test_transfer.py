"""Teaching a trained network other classes: its head, its last stage, all of it; and the shelf that keeps what was taught."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from resviz.cli import main
from resviz.data.album import Album, album_of, example, read_album
from resviz.data.images import digits
from resviz.data.unpack import unzip
from resviz.nets.build import build
from resviz.progress import Cancelled
from resviz.spec.net import NetSpec
from resviz.spec.transfer import TransferPlan, usual_plan
from resviz.training.transfer.keep import checkpoint_of, transfer_card, transfer_recording
from resviz.training.transfer.lesson import FEATURES, PIXELS, Lesson, estimate
from resviz.training.transfer.linear import fit_head
from resviz.training.transfer.loop import Transfer
from resviz.watching.files import open_recording
from resviz.zoo import shelf as shelves
from resviz.zoo.checkpoint import load
from resviz.zoo.classifier import Classifier, Preprocessing, predict
from resviz.zoo.read import with_card
from resviz.zoo.shelf import Shelf, ShelfError, home
from tests.test_untrusted import poisoned

ROOT = Path(__file__).resolve().parents[1]


def start(**changes: object) -> Classifier:
    """A small network of random weights that answers three classes about 16 px."""
    spec = replace(NetSpec(blocks=(1, 1), classes=3), **changes)
    net = build(spec).eval()
    with torch.no_grad():  # running statistics that are not those of a fresh norm
        net.train()(torch.randn(16, spec.in_channels, 16, 16, generator=torch.Generator().manual_seed(1)))
    means = (0.5,) * spec.in_channels
    return Classifier("small", net.eval(), Preprocessing(18, 16, means, means), ("a", "b", "c"), "a test")


@pytest.fixture(scope="module")
def album() -> Album:
    """Digits of three kinds, ten of each."""
    every = digits()
    pick = {name: [n for n, label in enumerate(every.labels.tolist()) if label == int(name)][:10] for name in "147"}
    return album_of(
        {name: [Image.fromarray(every.images[n, 0].numpy()).resize((24, 24)) for n in places] for name, places in pick.items()}
    )


def short(mode: str, **changes: object) -> TransferPlan:
    return replace(usual_plan(mode), **{"epochs": 3, **changes})  # type: ignore[arg-type]


def weights(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


# ------------------------------------------------------------------------------------------- what is learned


def test_the_time_of_a_head_holds_its_features_whoever_asked_for_them_first(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, real = 0.2, Classifier.fast_view

    def late(self: Classifier, *args: object, **rest: object) -> object:
        time.sleep(slow)
        return real(self, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Classifier, "fast_view", late)
    lesson = Lesson(start(), album)
    lesson.curve()
    for mode in ("head", "finetune"):
        run = Transfer(lesson, short(mode))
        list(run)
        assert run.result().seconds > lesson.features_seconds >= slow


def test_a_head_is_the_logistic_regression_of_the_same_features(album: Album) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    lesson = Lesson(start(), album)
    learned, held = (part.double().numpy() for part in lesson.features())
    scaler = StandardScaler().fit(learned)
    model = LogisticRegression(tol=1e-8, max_iter=5000).fit(scaler.transform(learned), lesson.learned.labels)
    head = fit_head(lesson.features()[0], lesson.learned.labels, 3)
    ours = torch.softmax(head.logits(lesson.features()[1]), 1).numpy()
    assert np.allclose(ours, model.predict_proba(scaler.transform(held)), atol=1e-3)
    run = Transfer(lesson, usual_plan("head"))
    list(run)
    assert np.allclose(run.result().probabilities, ours, atol=1e-3)


def test_features_are_those_of_the_network_itself(album: Album) -> None:
    lesson = Lesson(start(), album)
    net = lesson.start.net
    x = torch.cat([lesson.start.preprocessing.tensor(each.image) for _, each in lesson.parts[1]])
    with torch.inference_mode():
        own = net.avgpool(net.features(x)).flatten(1)
    assert torch.allclose(lesson.features()[1], own, atol=1e-4)


@pytest.mark.parametrize("frozen", [True, False])
def test_what_is_frozen_stays_and_the_shared_network_too(album: Album, frozen: bool) -> None:
    own = start()
    before = weights(own.net)
    run = Transfer(Lesson(own, album), short("finetune", stages=1, frozen_norms=frozen))
    list(run)
    after = weights(run.network().net)
    changed = {name for name in before if not name.startswith("fc") and not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("layer2") for name in changed)
    assert frozen == (not any(".bn" in name or "running" in name for name in changed))
    assert all(torch.equal(before[name], tensor) for name, tensor in own.net.state_dict().items())
    found = run.result()
    still = [name.startswith(("conv1", "layer1")) for name in found.layers]
    assert (found.epochs[-1].moved[still] == 0).all()
    assert (found.epochs[-1].gradients[still] == 0).all()
    assert (found.epochs[-1].moved[[not each for each in still]] > 0).all()


def test_an_error_on_the_way_leaves_the_shared_network(album: Album) -> None:
    own = start()
    before = weights(own.net)

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        if note.startswith("epoch 2"):
            raise Cancelled
        return False

    run = Transfer(Lesson(own, album), short("finetune"), tick=tick)
    with pytest.raises(Cancelled):
        list(run)
    assert len(run.epochs) == 1
    assert all(torch.equal(before[name], tensor) for name, tensor in own.net.state_dict().items())
    assert all(torch.isfinite(tensor).all() for tensor in weights(run.net).values())
    run.tick = lambda fraction, note="", partial=None: False
    list(run)  # taken up in memory
    whole = Transfer(Lesson(own, album), short("finetune"))
    list(whole)
    assert all(torch.equal(weights(whole.net)[name], tensor) for name, tensor in weights(run.net).items())


@pytest.mark.parametrize("mode", ["finetune", "scratch"])
def test_a_killed_run_is_taken_up_to_the_bit(album: Album, tmp_path: Path, mode: str) -> None:
    lesson, plan = Lesson(start(), album), short(mode)
    whole = Transfer(lesson, plan)
    list(whole)
    killed: Iterator[object] = iter(Transfer(lesson, plan, tmp_path / "run.ckpt"))
    next(killed), next(killed)
    again = Transfer(Lesson(start(), album), plan, tmp_path / "run.ckpt")
    assert len(again.epochs) == 2
    list(again)
    assert all(torch.equal(weights(whole.net)[name], tensor) for name, tensor in weights(again.net).items())
    assert np.array_equal(whole.result().probabilities, again.result().probabilities)
    with pytest.raises(ValueError, match="other pictures or another plan"):
        Transfer(lesson, replace(plan, seed=1), tmp_path / "run.ckpt")


def test_a_run_is_not_taken_up_from_a_file_that_runs_something(
    album: Album, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this PyTorch's default is: before 2.6 it was to run what the file says."""
    checkpoint, written = poisoned(tmp_path)
    load_whole = partial(torch.load, weights_only=False)
    monkeypatch.setattr(torch, "load", load_whole)
    with pytest.raises(ValueError, match="cannot be taken up, it is damaged"):
        Transfer(Lesson(start(), album), short("finetune"), checkpoint)
    assert not written.exists()


def test_a_command_that_is_killed_is_taken_up_to_the_bit(album: Album, tmp_path: Path) -> None:
    for name, pictures in album.classes.items():
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for n, each in enumerate(pictures):
            each.image.save(tmp_path / "pictures" / name / f"{n}.png")
    asked = ["transfer", str(tmp_path / "pictures"), "--from", "resnet20-digits-0", "--mode", "finetune", "--epochs", "40"]
    asked += ["--device", "cpu"]
    command = [sys.executable, "-m", "resviz", *asked, "--out", str(tmp_path / "killed")]
    killed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "killed.ckpt"
    until = time.monotonic() + 120
    while not checkpoint.exists():
        assert killed.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert checkpoint.exists()
    assert not (tmp_path / "killed.safetensors").exists()
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    assert subprocess.run([*command[:-1], str(tmp_path / "whole")], cwd=ROOT, capture_output=True).returncode == 0
    one, other = (load_file(tmp_path / f"{name}.safetensors") for name in ("killed", "whole"))
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_kept_epoch_is_the_best_of_the_watched(album: Album) -> None:
    run = Transfer(Lesson(start(), album), short("scratch", epochs=12, patience=3))
    records = list(run)
    found = run.result()
    assert found.best == 1 + int(np.argmin([each.watched for each in records]))
    assert len(records) == min(12, found.best + 3)
    held = {each.key for _, each in run.lesson.parts[1]}
    assert not held & {each.key for _, each in run.lesson.parts[0]}
    assert found.confusion.sum() == len(held)
    assert 100 * np.trace(found.confusion) / len(held) == pytest.approx(found.accuracy)
    wrong = found.worst(100)
    assert len(wrong) == len(held) - np.trace(found.confusion)
    sure = found.probabilities.max(1)[list(wrong)]
    assert (np.diff(sure) <= 0).all()


def test_a_curve_ends_with_every_picture(album: Album) -> None:
    curve = Lesson(start(), album).curve()
    assert curve.counts == (1, 2, 5, 7)
    assert set(curve.accuracy) == {FEATURES, PIXELS}
    assert np.ptp(curve.accuracy[PIXELS][-1]) == 0  # nothing is left to draw
    assert curve.middle(PIXELS)[-1] > curve.middle(PIXELS)[0]


def test_a_grey_network_learns_too(album: Album) -> None:
    lesson = Lesson(start(in_channels=1), album)
    assert lesson.learned.images.shape[1:] == (1, 16, 16)
    run = Transfer(lesson, short("finetune", epochs=1))
    list(run)
    assert run.network().net.conv1.in_channels == 1


def test_what_does_not_fit_is_refused_beforehand(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = Lesson(start(), album)
    assert estimate(lesson, usual_plan("scratch")).seconds > estimate(lesson, usual_plan("head")).seconds > 0
    monkeypatch.setenv("RESVIZ_MEMORY_GB", "0.0001")
    with pytest.raises(ValueError, match="limit is"):
        estimate(lesson, usual_plan("finetune"))


# ------------------------------------------------------------------------------------------- pictures


def pictures(count: int, seed: int) -> list[Image.Image]:
    draw = np.random.default_rng(seed)
    return [Image.fromarray(draw.integers(0, 255, (12, 12, 3), np.uint8)) for _ in range(count)]


def packed(files: dict[str, Image.Image | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            if isinstance(content, Image.Image):
                buffer = io.BytesIO()
                content.save(buffer, "PNG")
                content = buffer.getvalue()
            archive.writestr(name, content)
    return held.getvalue()


def test_a_zip_with_junk_keeps_its_good_part() -> None:
    files: dict[str, Image.Image | bytes] = {
        f"{name}/{n}.png": each for k, name in enumerate("ab") for n, each in enumerate(pictures(6, k))
    }
    files |= {
        "c/notes.txt": b"no picture",
        "loose.png": pictures(1, 9)[0],
        "__MACOSX/a/0.png": b"x",
        "a/broken.jpg": b"\xff\xd8\xff",
    }
    found = read_album(unzip(packed(files))).usable()
    assert {name: len(each) for name, each in found.classes.items()} == {"a": 6, "b": 6}
    said = " ".join(found.said)
    for part in ("c/notes.txt", "a/broken.jpg", "lies in no folder", "c is left out: it has 0 pictures"):
        assert part in said


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ({"a": pictures(6, 0)}, "there is only a"),
        ({}, "there is none"),
        ({"a": pictures(6, 0), "b": pictures(6, 0)}, "a and b hold 6 of the same pictures"),
        ({"a": pictures(6, 0), "b": pictures(4, 1)}, "b is left out: it has 4 pictures"),
        ({"a": pictures(3, 0), "b": pictures(4, 1)}, "a class needs 5; b is left out: it has 4 pictures"),
    ],
)
def test_too_little_is_one_sentence(classes: dict[str, list[Image.Image]], sentence: str) -> None:
    with pytest.raises(ValueError, match="two classes of at least 5") as refused:
        album_of(classes).usable()
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_too_many_are_cut_evenly_and_a_wrong_one_is_taken_out() -> None:
    every = album_of({"a": pictures(30, 0), "b": pictures(8, 1)})
    cut = every.usable(most=20)
    assert {name: len(each) for name, each in cut.classes.items()} == {"a": 10, "b": 8}
    assert "38 pictures are more than the 20" in cut.said[0]
    fewer = every.without("b", every.classes["b"][0].key)
    assert len(fewer.classes["b"]) == 7
    assert fewer.key != every.key
    assert set(every.without("a").classes) == {"b"}
    assert len(every.added("b", every.classes["b"])) == 38  # twice is once


def test_the_example_shares_no_pixel() -> None:
    found = example()
    assert [len(each) for each in found.classes.values()] == [12, 12, 12]
    assert len({each.key for pieces in found.classes.values() for each in pieces}) == 36


# ------------------------------------------------------------------------------------------- the shelf


@pytest.fixture(scope="module")
def file(album: Album) -> bytes:
    run = Transfer(Lesson(start(), album), usual_plan("head"))
    list(run)
    net = run.network("mine")
    return checkpoint_of(net, transfer_card(run.lesson, run.result(), net))


def test_what_comes_back_gives_the_same_answers(album: Album, file: bytes) -> None:
    run = Transfer(Lesson(start(), album), usual_plan("head"))
    list(run)
    again = load(file, "mine.safetensors")
    assert again.categories == ("1", "4", "7")
    assert again.preprocessing == run.lesson.start.preprocessing
    assert not again.guesses
    for _, each in run.lesson.parts[1][:3]:
        assert np.array_equal(predict(again, each.image).logits, predict(run.network(), each.image).logits)


@pytest.mark.parametrize("mode", ["head", "finetune"])
def test_card_and_recording_stay_with_a_network_wherever_it_goes(album: Album, mode: str) -> None:
    run = Transfer(Lesson(start(), album), short(mode))
    list(run)
    net, found = run.network("mine"), run.result()
    recording = transfer_recording(found, net)
    shelf, other = Shelf(), Shelf()
    shelf.put("mine", checkpoint_of(net, transfer_card(run.lesson, found, net), recording))
    other.put("again", shelf.data(shelf.rename("mine", "yours")))
    assert other.card("again")["categories"] == ["1", "4", "7"]
    assert other.recorded("again") == (mode == "finetune")
    assert other.recording("again") == recording
    if mode == "head":  # fitted in one go
        return
    (opened,) = open_recording(other.recording("again"), "mine.parquet")
    assert (opened.unit, opened.last) == ("epoch", 3)
    assert np.allclose(opened.losses, [each.loss for each in found.epochs])
    gradients = opened.tables["gradient"]
    assert gradients.empty == {name for name in found.layers if name.startswith(("conv1", "layer1"))}
    last = found.layers.index("fc")
    assert np.allclose(gradients.values[:, gradients.names.index("fc")], [each.gradients[last] for each in found.epochs])


def test_what_is_no_recording_in_a_file_from_outside_is_none(file: bytes) -> None:
    from safetensors.torch import load as tensors_of
    from safetensors.torch import save

    shelf = Shelf()
    card = json.dumps(dict(shelf.card(shelf.put("mine", file))))
    shelf.put("odd", save(tensors_of(file), {"card": card, "recording": "no base64!"}))
    assert not shelf.recorded("odd")


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_shelf_renames_deletes_and_keeps_names_apart(file: bytes, tmp_path: Path, on_disk: bool) -> None:
    shelf = Shelf(tmp_path / "networks" if on_disk else None)
    assert shelf.names() == ()
    assert shelf.put("mine", file) == "mine"
    assert shelf.put("mine", file) == "mine (2)"
    assert shelf.rename("mine (2)", "../other") == "other"
    assert shelf.names() == ("mine", "other")
    assert shelf.load("mine").categories == ("1", "4", "7")
    assert shelf.card("mine")["measured"]["test_images"] == 9  # type: ignore[index]
    assert shelf.key("mine") != shelf.key(shelf.names()[1])
    other = Shelf(tmp_path / "networks") if on_disk else Shelf()
    assert other.names() == (shelf.names() if on_disk else ())
    shelf.delete("mine")
    assert "mine" not in shelf.names()
    with pytest.raises(ShelfError, match="no network mine"):
        shelf.data("mine")
    if on_disk:
        assert not list((tmp_path / "networks").glob(".*"))


def test_what_was_asked_of_one_network_is_never_anothers_answer_under_the_same_name(file: bytes) -> None:
    """Memory that one visitor's file gave back may hold the next one's, at the same place."""
    other, keys = with_card(file, {"title": "another"}), set()
    for data in (file, other, file, other):
        shelf = Shelf()
        shelf.put("mine", bytes(bytearray(data)))
        keys.add(shelf.key("mine"))
        shelf.delete("mine")
    assert len(keys) == 2


def test_a_full_shelf_and_a_file_that_is_no_network_are_refused(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    with pytest.raises(ValueError, match="cannot be read as weights"):
        shelf.put("junk", b"junk")
    monkeypatch.setattr(shelves, "CAPACITY", len(file) + 1)
    shelf.put("one", file)
    with pytest.raises(ShelfError, match="delete one first"):
        shelf.put("two", file)
    assert shelf.names() == ("one",)


def test_nothing_is_written_unless_a_home_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RESVIZ_HOME", raising=False)
    assert home() is None
    monkeypatch.setenv("RESVIZ_HOME", str(tmp_path))
    assert home() == tmp_path / "networks"


# ------------------------------------------------------------------------------------------- the command


def test_the_command_prints_a_table_and_writes_a_network(
    album: Album, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = tmp_path / "start.safetensors"
    net.write_bytes(checkpoint_of(start()))
    for name, each in album.classes.items():
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for n, picture in enumerate(each):
            picture.image.save(tmp_path / "pictures" / name / f"{n}.png")
    options = ["--from", str(net), "--mode", "all", "--epochs", "2", "--out", str(tmp_path / "new"), "--json"]
    assert main(["transfer", str(tmp_path / "pictures"), *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["modes"]) == {"head", "finetune", "scratch"}
    assert told["held_out"] == 9
    assert load((tmp_path / "new-finetune.safetensors").read_bytes(), "new").categories == ("1", "4", "7")
    assert main(["transfer", str(tmp_path / "pictures" / "1"), "--from", str(net)]) == 2
    assert "two classes" in capsys.readouterr().err
