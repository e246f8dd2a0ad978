"""`python -m resviz COMMAND`: as thin as a page; errors are one line with exit code 2."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from resviz.spec import PRESETS, NetSpec, from_query

__all__ = ["main"]


def _spec(text: str) -> NetSpec:
    """A preset's name, or the query string that a page's URL holds."""
    if text in PRESETS:
        return PRESETS[text]
    if "=" not in text and text:
        raise ValueError(
            f"{text!r} is no preset; choose one of {', '.join(PRESETS)}, or give a query such as blocks=2-2-2"
        )
    spec, problems = from_query(text)
    if problems:
        raise ValueError(problems[0])
    return spec


def _train(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.data import cifar10, split_folder
    from resviz.results import TrainStep
    from resviz.training.loop import Training
    from resviz.training.recipes import RECIPES
    from resviz.training.record import export

    own_cifar = args.data == "cifar10"
    train, test = cifar10(Path.home() / ".cache" / "resviz") if own_cifar else split_folder(Path(args.data), args.size)
    spec = replace(_spec(args.net), classes=len(train.categories), seed=args.seed)
    recipe = RECIPES[args.recipe]
    recipe = replace(recipe, epochs=args.epochs or recipe.epochs, batch=args.batch or recipe.batch)
    out = Path(args.out)
    run = Training(spec, train, test, recipe, checkpoint=out.with_suffix(".ckpt"))
    if run.history:
        print(f"taking up after epoch {run.history[-1].epoch} of {recipe.epochs}", file=sys.stderr)
    with tqdm(total=run.steps, initial=len(run.losses), unit="step", disable=args.quiet) as bar:
        for event in run:
            if isinstance(event, TrainStep):
                bar.update()
                bar.set_postfix(epoch=event.epoch, loss=f"{event.loss:.3f}", refresh=False)
            else:
                bar.write(
                    f"epoch {event.epoch}/{event.epochs}: train error {event.train_error:.2f} %, "
                    f"test error {event.test_error:.2f} %, {event.seconds:.0f} s"
                )
    name = "CIFAR-10 (torchvision)" if own_cifar else args.data_name or Path(args.data).name
    command = f"python -m resviz {shlex.join(args.argv)}"
    print(export(run, out, name, args.caveat, command))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="resviz", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a network; run the same command again to take up where it stopped")
    train.add_argument("--net", default="resnet20", help="a preset or a query string")
    train.add_argument("--data", required=True, help="cifar10, or a folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
    train.add_argument("--data-name", default="", help="what the card calls the data")
    train.add_argument("--caveat", default="", help="what the card says to bear in mind about the data")
    train.add_argument("--size", type=int, help="resize and centre-crop images to this side")
    train.add_argument("--recipe", default="he2015-cifar", choices=("he2015-cifar", "one-cycle"))
    train.add_argument("--epochs", type=int)
    train.add_argument("--batch", type=int)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--out", required=True, help="path of the results, without ending")
    train.add_argument("--quiet", action="store_true")
    train.set_defaults(run=_train)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    args = _parser().parse_args(argv)
    args.argv = argv
    try:
        return int(args.run(args))
    except (ValueError, OSError, RuntimeError) as error:
        print(f"resviz: {error}".splitlines()[0], file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
