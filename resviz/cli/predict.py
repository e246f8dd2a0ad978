"""`predict`: the most probable classes of a photograph."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_picture, classifier_of
from resviz.cli.values import Commands, at_least, device_option, json_option, picture, show

if TYPE_CHECKING:
    pass

__all__ = ["add"]


def _predict(args: argparse.Namespace) -> int:
    from resviz.zoo.classifier import predict

    image = picture(args.image)
    classifier = classifier_of(args.model, args)
    prediction = predict(classifier, image)
    ranked = prediction.top(args.top)
    classes = [{"class": name, "probability": probability} for name, probability in ranked]
    text = "\n".join(f"{100 * probability:6.2f} %  {name}" for name, probability in ranked)
    return show(args, {"model": classifier.name, "entropy": prediction.entropy, "classes": classes}, text)


def add(commands: Commands) -> None:
    """The command's own parser."""
    predict = commands.add_parser("predict", help="the most probable classes of a photograph")
    about_a_picture(predict)
    predict.add_argument("--top", type=at_least(1), default=5, help="classes to list")
    device_option(predict)
    predict.set_defaults(run=_predict)
    json_option(predict)
