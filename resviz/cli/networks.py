"""Trained networks by what the command line calls them: bundled, ImageNet's weights, or a checkpoint file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resviz.cli.values import BAR, at_least, path
from resviz.guard import door, nearest, quoted
from resviz.spec.net import Activation

if TYPE_CHECKING:
    from resviz.zoo.checkpoint import Answers
    from resviz.zoo.classifier import Classifier

__all__ = ["UNTOLD", "about_a_file", "about_a_picture", "class_index", "classifier_of", "is_file", "told_apart"]


def classifier_of(name: str, args: argparse.Namespace) -> Classifier:
    """A bundled network, ImageNet's weights, or a file, whatever its ending; what a file does not say is said on stderr."""
    from resviz.zoo.bundled import every_name, load_bundled
    from resviz.zoo.checkpoint import Answers
    from resviz.zoo.imagenet import load_imagenet, weights

    answers, file = _answers(args), Path(name)
    if name not in weights() and name not in every_name() and is_file(file):
        return _own(file, answers)
    if answers != Answers():
        raise ValueError(
            f"{quoted(name)} is no file, and what it was trained on is known; leave out --plain, --classes, --mean, --std, --size and the like"
        )
    if name not in weights():
        if file.suffix and name not in every_name():
            raise ValueError(
                f"there is no file {quoted(name)!r}, nor a network of that name; choose one of {', '.join(every_name())}"
            )
        return load_bundled(name)
    if not weights()[name].intact:
        _download(name)
    return load_imagenet(name)


def is_file(path: Path) -> bool:
    """Whether it is there; a text that no path can be, such as a long list of names, is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _own(file: Path, answers: Answers) -> Classifier:
    from resviz.budget import budget
    from resviz.zoo.checkpoint import load

    if 2 * file.stat().st_size > budget().limit:
        raise ValueError(
            f"{quoted(file)} has {file.stat().st_size >> 20:,} MB, more than can be read here; save the network's state_dict alone"
        )
    card = file.with_suffix(".json")
    found = load(
        file.read_bytes(), file.name, answers, card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None
    )
    said = [f"not in the file, taken so: {guess}" for guess in found.guesses] + list(found.notes)
    if len(found.copies) > 1:
        said.append(f"the file holds {len(found.copies)} networks, choose with --weights: {', '.join(found.copies)}")
    for line in said:
        print(f"{found.name}: {line}", file=sys.stderr)
    return found


def _download(name: str) -> None:
    from tqdm import tqdm

    from resviz.zoo.imagenet import download, weights

    with tqdm(total=100, unit="%", desc=name, **BAR) as bar:
        for fraction in download(weights()[name]):
            bar.update(round(100 * fraction) - bar.n)


def _answers(args: argparse.Namespace) -> Answers:
    """What the command line says of a checkpoint file."""
    from resviz.zoo.checkpoint import Answers

    def numbers(option: str) -> tuple[float, ...] | None:
        text = getattr(args, option)
        try:
            return None if text is None else tuple(float(part) for part in text.split(","))
        except ValueError as error:
            raise ValueError(
                f"--{option} {quoted(text)!r} is no row of numbers; write for example --{option} 0.49,0.48,0.45"
            ) from error

    classes = None
    if args.classes is not None:
        listed = Path(args.classes)
        with door(ValueError, f"--classes {quoted(listed)} is no text in UTF-8 ({{}}); write one class name a line"):
            lines = listed.read_text(encoding="utf-8").splitlines() if is_file(listed) else args.classes.split(",")
        classes = tuple(line.strip() for line in lines if line.strip())
    return Answers(
        network=args.weights,
        plain=args.plain or None,
        preact=args.preact or None,
        pool=args.pool or None,
        groups=args.groups,
        activation=Activation(args.activation) if args.activation else None,
        classes=classes,
        size=args.size,
        mean=numbers("mean"),
        std=numbers("std"),
    )


def told_apart(classifiers: Sequence[Classifier], models: Sequence[str]) -> list[Classifier]:
    """Files of one name get their folder's too, and a number where that is the same."""
    from resviz.zoo.checkpoint import plain_name

    names: list[str] = []
    for classifier, model in zip(classifiers, models, strict=True):
        name = classifier.name
        if sum(other.name == name for other in classifiers) > 1:
            name = plain_name(f"{Path(model).resolve().parent.name}-{name}")
        again = names.count(name)
        names.append(name if name not in names else f"{name} ({again + 1})")
    return [replace(classifier, name=name) for classifier, name in zip(classifiers, names, strict=True)]


def class_index(name: str, classifier: Classifier) -> int:
    """A class by its name."""
    if name not in classifier.categories:
        some = ", ".join(classifier.categories[:10]) + (" …" if len(classifier.categories) > 10 else "")
        raise ValueError(
            f"{quoted(name)!r} is no class of {classifier.name}; choose one of {some}{nearest(name, classifier.categories)}"
        )
    return classifier.categories.index(name)


UNTOLD: dict[str, None] = dict.fromkeys(
    ("weights", "plain", "preact", "pool", "groups", "activation", "classes", "mean", "std", "size")
)


def about_a_file(command: argparse.ArgumentParser) -> None:
    """Options for what a checkpoint file does not say."""
    told = command.add_argument_group(
        "of a checkpoint file", "what its tensors cannot say; a .json card beside it says most of it"
    )
    told.add_argument("--weights", metavar="NAME", help="which of several networks in the file")
    told.add_argument("--plain", action="store_true", help="it was trained without skips")
    told.add_argument("--preact", action="store_true", help="a network without norms has pre-activation blocks")
    told.add_argument("--pool", action="store_true", help="a max pool follows its 3×3 stem")
    told.add_argument("--groups", type=at_least(1, 1024), help="groups of its group norms; 16 channels each unless told")
    told.add_argument("--activation", choices=[a.value for a in Activation])
    told.add_argument("--classes", metavar="NAMES", help="class names with commas between, or a text file with one a line")
    told.add_argument("--mean", help="of its training pictures, one number a channel: 0.49,0.48,0.45")
    told.add_argument("--std", help="their standard deviation")
    told.add_argument("--size", type=at_least(8, 1024), help="side of the pictures it was trained with, in pixels")


def about_a_picture(command: argparse.ArgumentParser) -> None:
    """Arguments of the commands that ask a trained network about a picture."""
    command.add_argument("image", type=path)
    command.add_argument("--model", default="resnet18-imagenette", help="a bundled network, resnet50.V2, or a checkpoint file")
    about_a_file(command)
