"""`similarity`: how alike what layers make of the same pictures is, within a network or between two."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_file, classifier_of
from resviz.cli.values import FIGURES, Commands, at_least, json_option, out_file, path, plainly, show, write_figure

if TYPE_CHECKING:
    from resviz.zoo.classifier import Classifier

__all__ = ["add"]


def _similarity(args: argparse.Namespace) -> int:
    from resviz.figures.captions import similarity_claim, similarity_note
    from resviz.figures.similarity import similarity_map
    from resviz.machine import fitting_threads
    from resviz.probes.similarity import similarity
    from resviz.zoo.learned import pictures_of

    out = out_file(args.out, FIGURES)
    classifier = classifier_of(args.net, args)
    other: Classifier | None = None
    if args.other is not None:
        other = classifier_of(args.other, argparse.Namespace(**vars(args)))
        if other.categories != classifier.categories:
            raise ValueError(
                f"{other.name} and {classifier.name} were trained on different classes; compare networks that know the same"
            )
    images, _ = pictures_of(classifier, args.pictures, held_out=True)
    with fitting_threads(images.shape[-1]):
        found = similarity(classifier.private_view(), images, None if other is None else other.private_view())
    across = other.name if other else None
    if out:
        write_figure(similarity_map(found, classifier.name, across or classifier.name), out)
    note = plainly(similarity_note(found, classifier.name, across))
    if other is not None and replace(other.spec, seed=classifier.spec.seed) == classifier.spec:
        note += f" {plainly(similarity_claim(found))}"
    result = {
        "networks": [classifier.name] if across is None else [classifier.name, across],
        "rows": found.rows,
        "columns": found.columns,
        "values": found.values.tolist(),
        "pictures": found.pictures,
        "says": note,
    }
    lines = [
        f"{name:10} " + " ".join(f"{value:.2f}" for value in row) for name, row in zip(found.rows, found.values, strict=True)
    ]
    return show(args, result, "\n".join([*lines, note]))


def add(commands: Commands) -> None:
    """The command's own parser."""
    similarity = commands.add_parser("similarity", help="how alike what layers make of the same pictures is: linear CKA")
    similarity.add_argument("net", help="a bundled network or a checkpoint file")
    similarity.add_argument("other", nargs="?", help="another one, whose layers it is compared with")
    similarity.add_argument("--pictures", type=at_least(3, 512), default=512)
    similarity.add_argument("--out", type=path, help="write the map to this .png, .svg or .html file")
    similarity.set_defaults(run=_similarity)
    about_a_file(similarity)
    json_option(similarity)
