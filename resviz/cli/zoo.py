"""`zoo list`, `verify`, `calibrate`, `readouts` and `scope`: the bundled networks and what was measured of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resviz.cli.networks import UNTOLD, about_a_file, classifier_of
from resviz.cli.values import Commands, at_least, json_option, path, say_left_out, show
from resviz.guard import quoted

if TYPE_CHECKING:
    from resviz.data.images import ImageSet
    from resviz.results.card import Card, ReadoutsCard
    from resviz.zoo.classifier import Classifier

__all__ = ["add"]

_LEARNED = 5000  # training pictures that tell where a class lies


def _zoo_list(args: argparse.Namespace) -> int:
    from resviz.zoo.bundled import bundled_names, bundled_problems, card, digits_names

    for problem in (*bundled_problems(), *bundled_problems("digits")):
        print(f"resviz: {problem}", file=sys.stderr)
    cards = {name: card(name) for name in (*bundled_names(), *digits_names())}
    lines = [
        f"{name:22} {about['measured']['test_error']:6.2f} % test error  {about['title']}; {about['data']}, {about['epochs']} epochs"
        for name, about in cards.items()
    ]
    return show(args, cards, "\n".join(lines))


def _zoo_fetch(args: argparse.Namespace) -> int:
    """Download what a page would offer to, so that a server's visitors find it there."""
    from resviz.zoo.imagenet import download, weights

    if unknown := [name for name in args.names if name not in weights()]:
        raise ValueError(f"{quoted(unknown[0])!r} is no set of weights; choose from {', '.join(weights())}")
    items = {name: weights()[name] for name in args.names}
    for item in items.values():
        if not item.intact:
            print(f"resviz: {item.name}, {item.megabytes:.0f} MB", file=sys.stderr)
            for _ in download(item):
                pass
    return show(
        args, {name: str(item.path) for name, item in items.items()}, "\n".join(str(each.path) for each in items.values())
    )


def _zoo_scope(args: argparse.Namespace) -> int:
    """Measure how well networks tell pictures of their classes from others; with --write, into their cards."""
    from resviz.zoo.bundled import bundled_names, card, load_bundled, write_means
    from resviz.zoo.scope import class_means, classes_of, measured_scope, pictures, to_card

    data, outside, left_out = Path(args.data), Path(args.outside), args.leave_out.split(",") if args.leave_out else []
    others = (args.outside_name or outside.name) + (f", without {' and '.join(left_out)}" if left_out else "")
    found = {}
    for name in args.names or bundled_names():
        about = card(name)
        if classes_of(data) != about["categories"]:
            if args.names:
                raise ValueError(f"{data} holds other classes than {name} was trained on ({', '.join(about['categories'])})")
            continue
        known, strange, classifier = pictures(data, args.pictures), pictures(outside, args.pictures, left_out), load_bundled(name)
        means = class_means(classifier, _training_images(data, classifier, _LEARNED)) if (data / "train").is_dir() else None
        scope = measured_scope(replace(classifier, means=means), known, strange, f"{about['data']}, held out", others)
        found[name] = scope
        about["scope"] = to_card(scope)
        if args.write:
            _write(name, about)
            if scope.score == "distance" and means is not None:
                write_means(name, means)
    if not found:
        raise ValueError(f"no bundled network was trained on the classes of {data}; give the folder of one's data")
    lines = []
    for name, row in found.items():
        assert row.certain is not None  # just measured
        raw, scaled = (100 * share for share in row.certain)
        auroc = ", ".join(f"{key} {value:.3f}" for key, value in row.auroc.items())
        lines.append(
            f"{name:22} {row.score} under {row.threshold:.3f}: {100 * row.caught:.1f} % of others, {100 * row.false_alarms:.1f} % of "
            f"its own. AUROC {auroc}. {raw:.1f} % of others answered with 80 % and more, {scaled:.1f} % once calibrated"
        )
    return show(args, {name: to_card(scope) for name, scope in found.items()}, "\n".join(lines))


def _write(name: str, about: Card) -> None:
    from resviz.zoo.bundled import CHECKPOINTS

    (CHECKPOINTS / f"{name}.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _asked(args: argparse.Namespace) -> Iterator[tuple[str, Card, Classifier, ImageSet]]:
    """The named networks, or all that fit the data, each with its card and its held-out pictures; raises ValueError where none fits."""
    from resviz.zoo.bundled import bundled_names, card, load_bundled
    from resviz.zoo.labelled import held_out_for

    found = False
    for name in args.names or bundled_names():
        classifier = load_bundled(name)
        test = held_out_for(classifier, args.data)
        if test is not None:
            found = True
            yield name, card(name), classifier, test
        elif args.names:
            raise ValueError(f"{args.data} holds other classes than {name} was trained on; give the folder of its own")
    if not found:
        raise ValueError(f"no bundled network was trained on the classes of {args.data}; give the folder of one's data")


def _zoo_calibrate(args: argparse.Namespace) -> int:
    """Fit temperatures and measure what the cards say beside the error; with --write, into the cards."""
    from resviz.zoo.calibration import held_out_logits, measured_answers, measured_calibration

    found: dict[str, dict[str, object]] = {}
    lines = []
    for name, about, classifier, test in _asked(args):
        logits, labels = held_out_logits(classifier, test)
        about["calibration"] = calibration = measured_calibration(logits, labels, f"{about['data']}, held out")
        about["answers"] = answers = measured_answers(logits, labels, classifier.categories)
        found[name] = {"calibration": calibration, "answers": answers}
        lines.append(
            f"{name:22} temperature {calibration['temperature']:.3f}, calibration error {100 * calibration['error_before']:.2f} % before, "
            f"{100 * calibration['error_after']:.2f} % after; top-5 error {answers['top5_error']:.2f} %"
        )
        if args.write:
            _write(name, about)
    return show(args, found, "\n".join(lines))


def _zoo_readouts(args: argparse.Namespace) -> int:
    """Fit linear read-outs for the ends of the earlier stages; with --write, beside the checkpoints."""
    from resviz.probes.readouts import fitted_readouts
    from resviz.zoo.readouts import write_readouts

    found: dict[str, ReadoutsCard] = {}
    for name, about, classifier, test in _asked(args):
        train = _training_images(Path(args.data), classifier, args.pictures)
        readouts, errors = fitted_readouts(classifier, train, test)
        rounded = {unit: round(error, 2) for unit, error in errors.items()}
        about["readouts"] = found[name] = {"errors": rounded, "fitted": len(train)}
        if args.write:
            write_readouts(name, readouts)
            _write(name, about)
    lines = [
        f"{name:22} " + ", ".join(f"{unit} {error:.2f} %" for unit, error in row["errors"].items()) for name, row in found.items()
    ]
    return show(args, found, "\n".join(lines))


def _training_images(root: Path, classifier: Classifier, count: int) -> ImageSet:
    """A fixed choice of the training pictures, as this network wants them."""
    from resviz.data.images import image_folder

    shown = classifier.preprocessing
    whole = image_folder(root / "train", shown.crop, shown.resize if shown.resize != shown.crop else None)
    return replace(whole.subset(count), mean=shown.mean, std=shown.std)


def _zoo_verify(args: argparse.Namespace) -> int:
    from resviz.probes.accuracy import evaluate
    from resviz.zoo.bundled import bundled_names, card, digits_names, every_name
    from resviz.zoo.labelled import DIGITS, ORIGINAL, held_out_for

    found: dict[str, dict[str, object]] = {}
    agreed, refused = True, []
    very = {"cifar10": ORIGINAL, "digits": DIGITS}
    for name in args.names or (digits_names() if args.data == "digits" else bundled_names()):
        about = card(name) if name in every_name() else None
        if about is not None and about["data"] != very.get(args.data, about["data"]):
            refused.append(f"{name} needs {about['data']}")
            continue
        classifier = classifier_of(name, argparse.Namespace(**UNTOLD) if about else args)
        test = held_out_for(classifier, args.data)
        if test is not None and not found:
            say_left_out(args.data, test=test)
        if test is None:
            if args.names:
                raise ValueError(
                    f"{args.data} holds other classes than {name} was trained on ({', '.join(classifier.categories[:10])})"
                )
            continue
        if about is not None and len(test) != about["measured"]["test_images"]:
            refused.append(f"{name} needs {about['measured']['test_images']:,} pictures of {about['data']}, got {len(test):,}")
            continue
        error = round(evaluate(classifier.net, test)[0], 2)
        stated = round(about["measured"]["test_error"], 2) if about else None
        agreed &= stated in (None, error)
        found[name] = {"test_error": error, "card": stated, "images": len(test), "agrees": stated in (None, error)}
    if not found:
        reason = "; ".join(refused) or "no bundled network was trained on these classes"
        raise ValueError(f"{args.data} is not what a card was measured on: {reason}. Give --data the folder of those pictures")
    lines = [
        f"{name:22} measured {row['test_error']:.2f} %, "
        + (
            f"card {row['card']:.2f} %: {'agrees' if row['agrees'] else 'DIFFERS'}"
            if row["card"] is not None
            else "a file without a stated error"
        )
        for name, row in found.items()
    ]
    show(args, found, "\n".join(lines))
    return 0 if agreed else 1


def add(commands: Commands) -> None:
    """The commands' own parsers."""
    zoo = commands.add_parser("zoo", help="the bundled networks and what was measured of them").add_subparsers(
        required=True, metavar="list|fetch|verify|calibrate|readouts|scope"
    )
    listed = zoo.add_parser("list", help="every bundled network with its card")
    listed.set_defaults(run=_zoo_list)
    fetch = zoo.add_parser(
        "fetch", help="download ImageNet's weights by torchvision into TORCH_HOME, where they are not there yet"
    )
    fetch.add_argument("names", nargs="+", metavar="NAME", help="such as resnet50.V2")
    fetch.set_defaults(run=_zoo_fetch)
    verify = zoo.add_parser("verify", help="measure the test error again and compare it with the card; exit code 1 if it differs")
    verify.add_argument("names", nargs="*", help="bundled networks or checkpoint files; every bundled one that fits unless named")
    about_a_file(verify)
    verify.add_argument(
        "--data", type=path, required=True, help="digits, cifar10, or a folder with test/CLASS/*.jpg or val/CLASS/*.jpg"
    )
    verify.set_defaults(run=_zoo_verify)
    calibrate = zoo.add_parser(
        "calibrate", help="fit a temperature on held-out pictures, and measure how far certainty can be believed"
    )
    calibrate.add_argument("names", nargs="*", help="bundled networks; all that fit the data unless named")
    calibrate.add_argument(
        "--data", type=path, required=True, help="cifar10, or a folder with test/CLASS/*.jpg or val/CLASS/*.jpg"
    )
    calibrate.add_argument("--write", action="store_true", help="write what was measured into the cards")
    calibrate.set_defaults(run=_zoo_calibrate)
    readouts = zoo.add_parser("readouts", help="fit linear read-outs for the ends of a network's earlier stages")
    readouts.add_argument("names", nargs="*", help="bundled networks; all that fit the data unless named")
    readouts.add_argument("--data", type=path, required=True, help="a folder with train, and test or val, of CLASS/*.jpg")
    readouts.add_argument("--pictures", type=at_least(1), default=5000, help="training pictures to fit on")
    readouts.add_argument("--write", action="store_true", help="write them beside the checkpoints")
    readouts.set_defaults(run=_zoo_readouts)
    scope = zoo.add_parser("scope", help="measure how well a network tells pictures of its classes from others")
    scope.add_argument("names", nargs="*", help="bundled networks; all that fit the data unless named")
    scope.add_argument(
        "--data", type=path, required=True, help="a folder with test/CLASS/*.jpg or val/CLASS/*.jpg of its own classes"
    )
    scope.add_argument("--outside", type=path, required=True, help="a folder of other classes, laid out alike")
    scope.add_argument("--outside-name", default="", help="what the card calls them")
    scope.add_argument("--leave-out", default="", metavar="A,B", help="classes of the others that a class of its own fits")
    scope.add_argument("--pictures", type=at_least(1), default=1000, help="pictures a side")
    scope.add_argument("--write", action="store_true", help="write what was measured into the cards")
    scope.set_defaults(run=_zoo_scope)
    for command in (listed, fetch, verify, calibrate, readouts, scope):
        json_option(command)
