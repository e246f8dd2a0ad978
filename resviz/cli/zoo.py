"""`zoo list`, `zoo verify` and `zoo scope`: the bundled networks and what was measured of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from resviz.cli.networks import UNTOLD, about_a_file, classifier_of
from resviz.cli.values import Commands, at_least, json_option, path, say_left_out, show

__all__ = ["add"]


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


def _zoo_scope(args: argparse.Namespace) -> int:
    """Measure how well networks tell pictures of their classes from others; with --write, into their cards."""
    from resviz.zoo.bundled import CHECKPOINTS, bundled_names, card, load_bundled
    from resviz.zoo.scope import classes_of, measured_scope, pictures, to_card

    data, outside, left_out = Path(args.data), Path(args.outside), args.leave_out.split(",") if args.leave_out else []
    others = (args.outside_name or outside.name) + (f", without {' and '.join(left_out)}" if left_out else "")
    found = {}
    for name in args.names or bundled_names():
        about = card(name)
        if classes_of(data) != about["categories"]:
            if args.names:
                raise ValueError(f"{data} holds other classes than {name} was trained on ({', '.join(about['categories'])})")
            continue
        known, strange = pictures(data, args.pictures), pictures(outside, args.pictures, left_out)
        scope = measured_scope(load_bundled(name), known, strange, f"{about['data']}, held out", others)
        found[name] = scope
        about["scope"] = to_card(scope)
        if args.write:
            text = json.dumps(about, indent=2, ensure_ascii=False)
            (CHECKPOINTS / f"{name}.json").write_text(text + "\n")
    if not found:
        raise ValueError(f"no bundled network was trained on the classes of {data}; give the folder of one's data")
    lines = [
        f"{name:22} {row.score} under {row.threshold:.3f}: {100 * row.caught:.1f} % of others, "
        f"{100 * row.false_alarms:.1f} % of its own. AUROC {', '.join(f'{key} {value:.3f}' for key, value in row.auroc.items())}"
        for name, row in found.items()
    ]
    return show(args, {name: to_card(scope) for name, scope in found.items()}, "\n".join(lines))


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
        required=True, metavar="list|verify"
    )
    listed = zoo.add_parser("list", help="every bundled network with its card")
    listed.set_defaults(run=_zoo_list)
    verify = zoo.add_parser("verify", help="measure the test error again and compare it with the card; exit code 1 if it differs")
    verify.add_argument("names", nargs="*", help="bundled networks or checkpoint files; every bundled one that fits unless named")
    about_a_file(verify)
    verify.add_argument(
        "--data", type=path, required=True, help="digits, cifar10, or a folder with test/CLASS/*.jpg or val/CLASS/*.jpg"
    )
    verify.set_defaults(run=_zoo_verify)
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
    for command in (listed, verify, scope):
        json_option(command)
