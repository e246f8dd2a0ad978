"""`lesion`, `paths`, `refine` and `skipless`: trained networks taken apart."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_file, classifier_of
from resviz.cli.values import (
    BAR,
    FIGURES,
    Commands,
    at_least,
    device_option,
    json_option,
    out_file,
    path,
    plainly,
    say_left_out,
    show,
    write_figure,
)

if TYPE_CHECKING:
    from torch import Tensor

    from resviz.data.images import ImageSet
    from resviz.nets.unit import Net
    from resviz.progress import Tick
    from resviz.results import Draws

__all__ = ["add"]


def _asked(args: argparse.Namespace) -> tuple[Net, ImageSet]:
    """A network of this command's own, and the labelled pictures that it is asked about."""
    from resviz.machine import device
    from resviz.zoo.labelled import labelled_for

    classifier = classifier_of(args.net, args)
    pictures = labelled_for(classifier, args.data or "", args.pictures)
    say_left_out(args.data or "", test=pictures)
    return classifier.private_view().to(device()), pictures


def _batch(net: Net, pictures: ImageSet) -> tuple[Tensor, Tensor]:
    where = next(net.parameters()).device
    return pictures.normalised(pictures.images).to(where), pictures.labels.to(where)


def _watched(what: str) -> Tick:
    """A bar on the terminal that follows the work."""
    from tqdm import tqdm

    bar = tqdm(total=100, unit="%", desc=what, **BAR)

    def tick(fraction: float, note: str = "", partial: object = None) -> bool:
        bar.update(round(100 * fraction) - bar.n)
        if fraction >= 1:
            bar.close()
        return False

    return tick


def _lesion(args: argparse.Namespace) -> int:
    from resviz.figures import anatomy, captions
    from resviz.figures.chart import to_plotly
    from resviz.machine import fitting_threads
    from resviz.probes import lesion
    from resviz.spec.names import describe
    from resviz.zoo.labelled import training_for

    out = out_file(args.out, FIGURES)
    net, pictures = _asked(args)
    again = training_for(classifier_of(args.net, args), args.data or "") if args.reestimate else None
    drawn: dict[str, Draws] = {}
    with fitting_threads(pictures.images.shape[-1]):
        found = lesion.lesions(net, pictures, lesion.singles(net), _watched("lesions"), again)
        if args.draws:
            drawn = lesion.several(net, pictures, args.draws, _watched("at random"), again)
    says = [captions.lesions_note(found), captions.beside_veit(found)] + ([captions.draws_note(drawn)] if drawn else [])
    if out:
        write_figure(to_plotly(anatomy.lesion_lines(found)), out)
    singles = {kind: found.of(kind) for kind in anatomy.KINDS if found.of(kind)}
    goes_by = f"estimated again on {found.estimated_on:,} pictures after each lesion" if again else "as trained"
    lines = [f"{describe(net.spec)}, {found.pictures:,} pictures, batch norm's statistics {goes_by}", ""]
    lines += [
        f"{name:16} {anatomy.KINDS[kind][0]:30} {error:6.2f} %" for kind, each in singles.items() for name, error in each.items()
    ]
    several = {
        title: {
            str(count): {"median": float(median), "least": float(errors.min()), "most": float(errors.max())}
            for count, median, errors in zip(each.counts, each.median, each.errors, strict=True)
        }
        for title, each in drawn.items()
    }
    text = plainly("\n".join([*lines, "", *says]))
    asked = {"net": args.net, "pictures": found.pictures, "estimated_on": found.estimated_on, "base": found.base}
    return show(args, {**asked, **singles, "several": several, "says": _plain(says)}, text)


def _plain(says: list[str]) -> str:
    return plainly(" ".join(filter(None, says)))


def _paths(args: argparse.Namespace) -> int:
    from resviz.figures import anatomy, captions
    from resviz.figures.chart import to_plotly
    from resviz.figures.theme import number
    from resviz.machine import fitting_threads
    from resviz.probes.paths import path_lengths

    out = out_file(args.out, FIGURES)
    net, pictures = _asked(args)
    with fitting_threads(pictures.images.shape[-1]):
        found = path_lengths(net, *_batch(net, pictures), _watched("paths"))
    says = [captions.paths_by_length_note(found), captions.beside_veits_paths(found)]
    if out:
        write_figure(to_plotly(anatomy.path_lines(found)), out)
    lines = [
        f"{n:4} blocks {number(100 * paths):>12} % of all paths {number(100 * share):>12} % of the gradient"
        for n, (paths, share) in enumerate(zip(found.paths, found.share, strict=True))
    ]
    result = {
        "net": args.net,
        "pictures": found.pictures,
        "blocks": found.units,
        "paths": found.paths.tolist(),
        "norms": found.norms.tolist(),
        "share": found.share.tolist(),
        "along": found.along.tolist(),
        "norm": found.total,
        "off": found.off,
        "says": _plain(says),
    }
    return show(args, result, plainly("\n".join([*lines, "", *says])))


def _refine(args: argparse.Namespace) -> int:
    from resviz.figures import anatomy, captions
    from resviz.figures.chart import to_plotly
    from resviz.machine import fitting_threads
    from resviz.probes.refine import refinement

    out = out_file(args.out, FIGURES)
    net, pictures = _asked(args)
    with fitting_threads(pictures.images.shape[-1]):
        found = refinement(net, *_batch(net, pictures), _watched("refinement"))
    says = [captions.refinement_note(found), captions.beside_jastrzebski(found)]
    if out:
        write_figure(to_plotly(anatomy.cosine_line(found)), out)
    cosines = [float(value) if math.isfinite(value) else None for value in found.cosines]
    lines = [
        f"{name:14} cosine {'     –' if cosine is None else f'{cosine:6.3f}'}   ‖F‖/‖x‖ {ratio:7.3f}"
        + (f"   read out {found.read[name]:6.2f} % wrong" if name in found.read else "")
        for name, cosine, ratio in zip(found.units, cosines, found.ratios, strict=True)
    ]
    result: Mapping[str, object] = {
        "net": args.net,
        "pictures": found.pictures,
        "units": found.units,
        "cosines": cosines,
        "ratios": found.ratios.tolist(),
        "read": dict(found.read),
        "says": _plain(says),
    }
    return show(args, result, plainly("\n".join([*lines, "", *says])))


def _skipless(args: argparse.Namespace) -> int:
    from resviz.figures.captions import skipless_note
    from resviz.machine import fitting_threads
    from resviz.probes.skipless import removal

    net, pictures = _asked(args)
    (other, _), (images, _) = _asked(args), _batch(net, pictures)
    with fitting_threads(pictures.images.shape[-1]):
        found = removal(net, other, images)
    says = plainly(skipless_note(found))
    return show(args, {"net": args.net, **vars(found), "says": says}, says)


def add(commands: Commands) -> None:
    """The commands' own parsers."""
    lesion = commands.add_parser("lesion", help="a trained network's error without each of its parts")
    lesion.add_argument("--draws", type=at_least(0, 1000), default=20, help="draws of several parts at random; 0 for none")
    lesion.add_argument(
        "--reestimate",
        action="store_true",
        help="after each lesion estimate batch norm's statistics again, on 512 training pictures (of a folder: on its own)",
    )
    lesion.set_defaults(run=_lesion)
    paths = commands.add_parser("paths", help="how a trained network's gradient divides by the length of its paths")
    paths.set_defaults(run=_paths)
    refine = commands.add_parser(
        "refine", help="whether a trained network's blocks step down the loss, and what its head reads on the way"
    )
    refine.set_defaults(run=_refine)
    skipless = commands.add_parser("skipless", help="a trained network without its skips, and with the same answers")
    skipless.set_defaults(run=_skipless)
    for command, usual in ((lesion, 1000), (paths, 64), (refine, 256), (skipless, 256)):
        command.add_argument("net", help="a bundled network such as resnet56-digits-0, resnet50.V2, or a checkpoint file")
        about_a_file(command)
        command.add_argument(
            "--data", type=path, help="digits, cifar10, or a folder with test/CLASS/*.jpg; what its card names unless given"
        )
        command.add_argument("--pictures", type=at_least(1), default=usual, help=f"held-out pictures, {usual:,} or all there are")
        if command is not skipless:
            command.add_argument("--out", type=path, help="write the figure to this .png, .svg or .html file")
        device_option(command)
        json_option(command)
