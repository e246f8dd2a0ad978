"""`train`, and `first`: what is measured or learned and then kept under assets."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resviz.cli.values import Commands, at_least, device_option, path, resnet_of, say_left_out

if TYPE_CHECKING:
    from resviz.data.images import ImageSet
    from resviz.results import Run
    from resviz.spec.net import Design
    from resviz.training.recipes import Recipe
    from resviz.zoo.first import First

__all__ = ["add"]


def _train(args: argparse.Namespace) -> int:
    from filelock import FileLock, Timeout

    from resviz.training.export import ending

    resnet_of(args.net)  # another family is refused before anything is written
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = ending(out, ".lock")
    try:
        with FileLock(lock, timeout=0):
            return _train_alone(args, out)
    except Timeout:
        raise ValueError(f"{out} is being trained by another process; wait for it, or name another --out") from None


def _train_alone(args: argparse.Namespace, out: Path) -> int:
    """With nobody else writing to `out`."""
    from tqdm import tqdm

    from resviz.results import TrainStep
    from resviz.training.export import ending, export
    from resviz.training.loop import Training

    recipe = _recipe(args)
    train, test, name = _training_data(args, recipe)
    spec = replace(resnet_of(args.net), classes=len(train.categories), in_channels=train.images.shape[1], seed=args.seed)
    say_left_out(args.data, train=train, test=test)
    run = Training(spec, train, test, recipe, ending(out, ".ckpt"), precision=args.precision, threads=args.threads)
    print(f"computing in {run.arithmetic.describe()}: {run.arithmetic.why}", file=sys.stderr)
    if run.history:
        print(f"taking up after epoch {run.history[-1].epoch} of {recipe.epochs}", file=sys.stderr)
    with tqdm(total=run.steps, initial=len(run.losses), unit="step", leave=False, disable=args.quiet or None) as bar:
        for event in run:
            if isinstance(event, TrainStep):
                bar.update()
                bar.set_postfix(epoch=event.epoch, loss=f"{event.loss:.3f}", refresh=False)
            else:
                bar.write(
                    f"epoch {event.epoch}/{event.epochs}: train error {event.train_error:.2f} %, "
                    f"test error {event.test_error:.2f} %, {event.seconds:.0f} s"
                )
    command = f"python -m resviz {shlex.join(args.argv)}"
    print(export(run, out, name, args.caveat, command, args.half))
    return 0


def _recipe(args: argparse.Namespace) -> Recipe:
    from resviz.training.recipes import RECIPES

    recipe = RECIPES[args.recipe or ("digits" if args.data == "digits" else "he2015-cifar")]
    recipe = replace(recipe, epochs=args.epochs or recipe.epochs, batch=args.batch or recipe.batch)
    return recipe.up_to(args.size) if args.size else recipe


def _training_data(args: argparse.Namespace, recipe: Recipe) -> tuple[ImageSet, ImageSet, str]:
    """The training and the test images, and what the card calls them."""
    from resviz.data.datasets import named_sets
    from resviz.data.images import cifar10, data_root, split_folder
    from resviz.zoo.labelled import DIGITS, ORIGINAL

    if args.data == "cifar10":
        return *cifar10(data_root()), ORIGINAL
    if args.data == "digits":
        return *named_sets("digits"), DIGITS
    name = args.data_name or Path(args.data).name
    side = recipe.side_at(recipe.epochs - 1, args.size)
    return *split_folder(Path(args.data), side, recipe.augmentation.spare), name


def _first(args: argparse.Namespace) -> int:
    from resviz.training.first import MEASURES, measure
    from resviz.zoo.first import write_first

    if unknown := set(args.names) - set(MEASURES):
        raise ValueError(f"{min(unknown)!r} is none of {', '.join(MEASURES)}")
    for name in args.names or MEASURES:
        first = measure(name)
        print(write_first(name, first, Path(args.out)))
        if name == "home":
            print(_stage_beside(first, Path(args.out)))
    return 0


def _stage_beside(first: First, folder: Path) -> Path:
    """Home's stage as its page reads it, with the recorded runs of the same networks with batch norm."""
    from resviz.figures.stage import stage_json
    from resviz.recordings import RUNS, read_run

    runs: dict[Design, Run] = {
        "residual": read_run(RUNS / "resnet56-cifar10.parquet"),
        "plain": read_run(RUNS / "plain56-cifar10.parquet"),
    }
    path = folder / "home.json"
    path.write_text(stage_json(first.values["stage"], first.card, runs), encoding="utf-8")
    return path


def add(commands: Commands) -> None:
    """Both commands' own parsers."""
    first = commands.add_parser("first", help="measure what each page opens with, which it shows until PyTorch is loaded")
    first.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="gradients, lab, explain, inside, anatomy, story or home; all where none is named",
    )
    first.add_argument("--out", default="assets/first", help="folder to write")
    first.set_defaults(run=_first)

    train = commands.add_parser("train", help="train a network; run the same command again to take up where it stopped")
    train.add_argument("--net", default="resnet20", help="a preset or a query string")
    train.add_argument(
        "--data", type=path, required=True, help="digits, cifar10, or a folder with train/CLASS/*.jpg and test/CLASS/*.jpg"
    )
    train.add_argument("--data-name", default="", help="what the card calls the data")
    train.add_argument("--caveat", default="", help="what the card says to bear in mind about the data")
    train.add_argument(
        "--size", type=at_least(8), help="resize and centre-crop images to this side; the largest of growing sizes"
    )
    train.add_argument("--recipe", choices=("he2015-cifar", "photographs", "digits"), help="he2015-cifar, or that of the digits")
    train.add_argument("--half", action="store_true", help="store the weights as float16")
    train.add_argument("--epochs", type=at_least(1))
    train.add_argument("--batch", type=at_least(2))
    train.add_argument("--precision", choices=("float32", "bfloat16"), help="what this machine does fastest unless given")
    train.add_argument("--threads", type=at_least(1), help="what this machine does fastest unless given")
    train.add_argument("--seed", type=at_least(0), default=0)
    train.add_argument("--out", type=path, required=True, help="path of the results, without ending")
    device_option(train)
    train.add_argument("--quiet", action="store_true")
    train.set_defaults(run=_train)
