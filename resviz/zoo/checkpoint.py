"""A checkpoint file from outside as a classifier: read safely, recognised, and what it cannot say guessed and said."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import torch
from torch import Tensor

from resviz.budget import budget
from resviz.guard import brief, door, quoted
from resviz.nets.build import skeleton
from resviz.nets.families.resnet import Variant
from resviz.progress import Tick, quiet
from resviz.spec.names import describe
from resviz.spec.net import NetSpec
from resviz.spec.query import from_query
from resviz.zoo.answers import CIFAR10_CATEGORIES, Answers, answered, usual_preprocessing
from resviz.zoo.classifier import Classifier
from resviz.zoo.infer import State, infer, infer_spec
from resviz.zoo.layouts import Found, class_names, networks
from resviz.zoo.read import CheckpointError, contents
from resviz.zoo.weights import fits, load_into, numbers, shared_out

__all__ = ["CIFAR10_CATEGORIES", "Answers", "CheckpointError", "infer_spec", "load", "load_into", "plain_name", "read_state"]


def read_state(data: bytes, name: str) -> dict[str, Tensor]:
    """A file's network as float32 tensors by torchvision's names. Raises `CheckpointError`."""
    found = _choose(networks(contents(data, name).tree, name), None, name)
    return {key: numbers(key, value) for key, value in found.tensors.items()}


def load(data: bytes, name: str, answers: Answers | None = None, card: str | None = None, tick: Tick = quiet) -> Classifier:
    """A checkpoint as a classifier, with what was guessed and what was left out.

    `card` is the text of the JSON card beside the file; without one, the card in the file's own metadata is taken.
    Raises `CheckpointError`.
    """
    answers = answers or Answers()
    shown = plain_name(name)
    with (
        door(CheckpointError, f"{shown} is no network that can be built here ({{}})"),
        budget().take(2 * len(data), CheckpointError, tick),
    ):
        held = contents(data, name, tick)
        copies = networks(held.tree, name)
        found = _choose(copies, answers.network, name)
        state = dict(found.tensors)
        notes = _notes(found)
        spec, variant, guesses = infer(state, answers)
        said, about, trouble = _carded(card if card is not None else held.metadata.get("card"), state, variant)
        if about is not None:
            spec = _corrected(about, answers)
            guesses = ()
            variant = infer(state, answers.over(said))[1]
        tick(0.9, "building the network")
        net = load_into(spec, state, variant, tick)
        names = said.classes or class_names(held.tree, spec.classes) or None
        bare = Classifier(
            name=shown,
            net=net,
            preprocessing=usual_preprocessing(spec),
            categories=(),
            source=f"your file {shown}",
            guesses=guesses,
            notes=(*notes, *trouble),
            copies=tuple(c.where for c in copies),
        )
        done = answered(bare, answers.over(replace(said, classes=names)))
        _answers_in_numbers(done)
    return done


def _choose(copies: Sequence[Found], wanted: str | None, name: str) -> Found:
    found = next((copy for copy in copies if copy.where == wanted), copies[0] if wanted is None else None)
    if found is None:
        raise CheckpointError(
            f"{quoted(wanted)} is no network in {quoted(name)}; choose one of {', '.join(c.where for c in copies)}"
        )
    if found.problem:
        raise CheckpointError(f"{quoted(name)} holds no network that can be built here: {found.problem}")
    return found


def _notes(found: Found) -> tuple[str, ...]:
    if not found.left_out:
        return ()
    some = ", ".join(quoted(key, 40) for key in found.left_out[:3]) + (" …" if len(found.left_out) > 3 else "")
    many = len(found.left_out)
    return (
        f"{many} tensor{'' if many == 1 else 's'} in it belong{'s' if many == 1 else ''} to no layer and {'is' if many == 1 else 'are'} left out: {some}",
    )


def _answers_in_numbers(classifier: Classifier) -> None:
    """Weights can be finite and their answers not."""
    side = classifier.preprocessing.crop
    with torch.inference_mode():
        logits = classifier.net(torch.zeros(1, classifier.spec.in_channels, side, side))
    if not torch.isfinite(logits).all():
        raise CheckpointError(f"{classifier.name} answers with numbers that are not finite; its training diverged")


def _carded(card: str | None, state: State, variant: Variant) -> tuple[Answers, NetSpec | None, tuple[str, ...]]:
    """What a card says, the network it names where the tensors are that network's, and what was wrong with it."""
    if card is None:
        return Answers(), None, ()
    try:
        about = json.loads(card)
        named, problems = from_query(str(about["spec"]))
        departs = about.get("departs", {})
        said = Answers(
            classes=tuple(quoted(name).replace("_", " ") for name in about["categories"]),
            size=int(about["image_size"]),
            resize=int(about.get("resize", about["image_size"])),
            mean=tuple(map(float, about["mean"])),
            std=tuple(map(float, about["std"])),
            temperature=float(about.get("calibration", {}).get("temperature", 1.0)),
            pool=True if departs.get("pool") is True else None,
            groups=departs.get("groups"),
        )
        if (
            problems
            or not isinstance(named, NetSpec)
            or not fits(named, state, variant)
            or len(said.classes or ()) != named.classes
        ):
            return Answers(), None, (f"its card is of another network ({quoted(describe(named), 80)}) and is not used",)
        if said.groups is not None:
            shared_out(skeleton(named, variant), said.groups)
        return said, named, ()
    except Exception as error:  # a card is anything that lies beside a file
        return Answers(), None, (f"its card cannot be read ({brief(error)}) and is not used",)


def _corrected(spec: NetSpec, answers: Answers) -> NetSpec:
    """The card's network, where its visitor does not know better."""
    if answers.plain is not None and answers.plain is spec.residual:
        spec = spec.plain() if answers.plain else replace(spec, residual=True)
    return replace(spec, activation=answers.activation or spec.activation)


def plain_name(file: str) -> str:
    """A file's name as it may stand in tables and folders: with its ending, which no bundled network's name has."""
    name = re.sub(r"[^\w.()\[\] +@=,-]", "_", quoted(PurePosixPath(file.replace("\\", "/")).name, 80))
    return name.lstrip(".=+-@ ").rstrip(". ") or "checkpoint"
