"""`transfer`: a trained network taught the classes of a folder of pictures, in up to three ways."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_file, classifier_of
from resviz.cli.values import BAR, Commands, at_least, device_option, json_option, path, show
from resviz.guard import quoted
from resviz.spec.transfer import MODES, MOST, TransferMode, TransferPlan, usual_plan

if TYPE_CHECKING:
    from resviz.results import LearningCurve, Transferred
    from resviz.training.transfer.lesson import Lesson

__all__ = ["add"]


def _transfer(args: argparse.Namespace) -> int:
    from resviz.data.album import read_album
    from resviz.data.unpack import files_of
    from resviz.training.transfer.lesson import FEATURES, PIXELS, Lesson

    album = read_album(files_of(Path(args.folder)), most=args.most).usable(args.most)
    for line in album.said:
        print(quoted(line, 300), file=sys.stderr)
    modes: list[TransferMode] = [mode for mode in MODES if args.mode in (mode, "all")]
    start = classifier_of(getattr(args, "from"), args)
    found: dict[TransferMode, list[Transferred]] = {mode: [] for mode in modes}
    curves: list[LearningCurve] = []
    for seed in range(args.seed, args.seed + args.seeds):
        lesson = Lesson(start, album, args.held_out / 100, seed)
        for plan in _affordable(lesson, [_plan(args, mode, seed) for mode in modes], args):
            found[plan.mode].append(_learn(lesson, plan, args))
        curves.append(lesson.curve())
    final = {name: [float(curve.middle(name)[-1]) for curve in curves] for name in (FEATURES, PIXELS)}
    held = len(lesson.parts[1])
    lines = [f"{held} of {len(album)} pictures of {', '.join(album.classes)} held out; {args.seeds} seed(s); accuracy in %"]
    lines += [
        _row(MODES[mode], [each.accuracy for each in runs], sum(each.seconds for each in runs)) for mode, runs in found.items()
    ]
    lines.append(_row("Linear probe of raw pixels", final[PIXELS]))
    result = {
        "classes": list(album.classes),
        "held_out": held,
        "modes": {
            mode: {"accuracy": [each.accuracy for each in runs], "seconds": [each.seconds for each in runs]}
            for mode, runs in found.items()
        },
        "raw_pixels": final[PIXELS],
        "curve": {name: curves[0].middle(name).tolist() for name in final} | {"pictures": list(curves[0].counts)},
    }
    return show(args, result, "\n".join(lines))


def _plan(args: argparse.Namespace, mode: TransferMode, seed: int) -> TransferPlan:
    plan = usual_plan(mode, seed)
    if mode == "head":
        return plan
    plan = replace(plan, epochs=args.epochs or plan.epochs, rate=args.rate or plan.rate)
    if mode == "scratch":
        return plan
    return replace(plan, stages=plan.stages if args.stages is None else args.stages, frozen_norms=not args.train_norms)


def _affordable(lesson: Lesson, plans: list[TransferPlan], args: argparse.Namespace) -> list[TransferPlan]:
    """The plans, once it is clear what they take; raises ValueError where that is more than is allowed."""
    from resviz.training.transfer.lesson import estimate

    needs = [estimate(lesson, plan) for plan in plans]
    seconds, memory = sum(need.seconds for need in needs), max(need.memory for need in needs)
    print(f"seed {lesson.seed}: at most about {seconds:.0f} s and {memory / 2**20:.0f} MB of pictures", file=sys.stderr)
    if seconds > 60 * args.minutes:
        raise ValueError(
            f"this would take about {seconds / 60:.0f} minutes and --minutes allows {args.minutes}; take fewer pictures or epochs, --mode head, or more --minutes"
        )
    return plans


def _learn(lesson: Lesson, plan: TransferPlan, args: argparse.Namespace) -> Transferred:
    """One mode of one seed; the network of the first seed is written to --out."""
    from tqdm import tqdm

    from resviz.training.export import ending
    from resviz.training.transfer.keep import checkpoint_of, transfer_card, transfer_recording
    from resviz.training.transfer.loop import Transfer

    out = Path(args.out) if args.out else None
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out = out.with_name(
            out.name + (f"-{plan.mode}" if args.mode == "all" else "") + (f"-{plan.seed}" if args.seeds > 1 else "")
        )
    run = Transfer(lesson, plan, ending(out, ".ckpt") if out is not None else None)
    with tqdm(total=plan.epochs, initial=len(run.epochs), unit="epoch", desc=plan.mode, **BAR) as bar:
        for record in run:
            bar.update()
            bar.set_postfix(held_out=f"{record.held_out:.1f} %", refresh=False)
    found = run.result()
    if out is not None:
        net = run.network(out.name)
        file = ending(out, ".safetensors")
        file.write_bytes(checkpoint_of(net, transfer_card(lesson, found, net), transfer_recording(found, net)))
        ending(out, ".ckpt").unlink(missing_ok=True)
        print(file, file=sys.stderr)
    return found


def _row(name: str, accuracy: list[float], seconds: float | None = None) -> str:
    mean = sum(accuracy) / len(accuracy)
    spread = f"  {min(accuracy):5.1f} to {max(accuracy):5.1f}" if len(accuracy) > 1 else ""
    return f"{name:26} {mean:5.1f}{spread}" + (f"  {seconds:6.1f} s" if seconds is not None else "")


def add(commands: Commands) -> None:
    """The command's own parser."""
    command = commands.add_parser(
        "transfer", help="teach a trained network the classes of a folder of pictures, one folder a class"
    )
    command.add_argument("folder", type=path, help="a folder or a zip with CLASS/NAME.jpg, at least two classes of five pictures")
    command.add_argument(
        "--from", default="resnet18-imagenette", metavar="NAME", help="a bundled network, resnet50.V2, or a checkpoint file"
    )
    command.add_argument("--mode", choices=(*MODES, "all"), default="head")
    command.add_argument(
        "--out", type=path, help="path of the network, without ending; a run that was stopped is taken up from there"
    )
    command.add_argument("--seed", type=at_least(0, 100_000), default=0, help="draws the held-out pictures and the batches")
    command.add_argument("--seeds", type=at_least(1, 100), default=1, help="so many seeds, from --seed on")
    command.add_argument("--held-out", type=at_least(5, 80), default=30, metavar="PERCENT", help="of each class")
    command.add_argument("--stages", type=at_least(0, 8), help="of fine-tuning: the last stages that learn; 1 unless told")
    command.add_argument("--train-norms", action="store_true", help="of fine-tuning: batch norms learn too")
    command.add_argument("--epochs", type=at_least(1, 1000), help="at most; of fine-tuning and from scratch")
    command.add_argument("--rate", type=float, help="the highest learning rate of both")
    command.add_argument("--most", type=at_least(10, 100_000), default=MOST, help="pictures in all")
    command.add_argument("--minutes", type=at_least(1, 10_000), default=30, help="refuse what would take longer")
    about_a_file(command)
    device_option(command)
    json_option(command)
    command.set_defaults(run=_transfer)
