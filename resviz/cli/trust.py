"""`trust`: methods ranked over many pictures, with intervals."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_file, classifier_of
from resviz.cli.values import BAR, FIGURES, Commands, device_option, json_option, out_file, path, plainly, show, write_figure
from resviz.guard import quoted

if TYPE_CHECKING:
    from resviz.attribution.trust.many import Picture
    from resviz.results import Interval, Ranking

__all__ = ["add"]


def _trust(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from resviz.attribution.methods.table import FIRST
    from resviz.attribution.question import Asked
    from resviz.attribution.trust.many import rank_methods
    from resviz.figures.captions import trust_baseline_note, trust_ranking_note
    from resviz.figures.trust import interval_table, rank_dots, ranking_table

    out = out_file(args.out, (*FIGURES, ".csv"))
    methods = [Asked.of(name.strip()) for name in dict.fromkeys((args.methods or ",".join(FIRST)).split(","))]
    network, pictures = classifier_of(args.net, args), _pictures(args.pictures)
    with tqdm(total=100, unit="%", **BAR) as bar:

        def tick(fraction: float, note: str = "", partial: object = None) -> bool:
            bar.set_postfix_str(note, refresh=False)
            bar.update(round(100 * fraction) - bar.n)
            return False

        found = rank_methods(network, pictures, methods, tick, args.baseline)
    if out is not None and out.suffix.lower() == ".csv":
        interval_table(found).to_csv(out, index=False)
    elif out is not None:
        write_figure(rank_dots(found), out)
    said = plainly(f"{trust_ranking_note(found)} {trust_baseline_note(found)}".strip())
    lines = [f"left out of {quoted(args.pictures)}: {each}" for each in found.left_out]
    return show(args, _as_json(found, said), "\n".join([ranking_table(found).set_index("method").T.to_string(), *lines, said]))


def _pictures(name: str) -> Iterable[Picture]:
    """The sample photographs, or those of a folder, a zip or a file."""
    from resviz.attribution.trust.many import decoded
    from resviz.data.unpack import files_of
    from resviz.data.uploads import sample_photographs

    if name == "samples" and not Path(name).exists():
        return iter(sample_photographs().items())
    return decoded(files_of(Path(name)))


def _as_json(found: Ranking, said: str) -> dict[str, object]:
    """JSON has no NaN: what could not be measured is null."""

    def numbers(each: Interval) -> dict[str, float | None]:
        value = {"value": each.value, "low": each.low, "high": each.high}
        return {name: number if number == number else None for name, number in value.items()}

    methods = {
        found.methods[i]: {"mean rank": numbers(found.ranks[i]), "first": found.first[i]}
        | {name: numbers(intervals[i]) for name, intervals in found.medians.items()}
        for i in found.order
    }
    survives = {
        kind: {"flipping": numbers(each.flipping), "ranking": numbers(each.ranking)} for kind, each in found.survives.items()
    }
    about: dict[str, object] = {"model": found.network, "pictures": dict(zip(found.pictures, found.answers, strict=True))}
    return about | {
        "methods": methods,
        "baseline": found.baseline,
        "survives": survives,
        "left_out": found.left_out,
        "says": said,
    }


def add(commands: Commands) -> None:
    """The command's own parser."""
    trust = commands.add_parser("trust", help="methods ranked over many pictures, each metric with its interval")
    trust.add_argument("net", help="a bundled network, resnet50.V2, or a checkpoint file")
    about_a_file(trust)
    trust.add_argument("--pictures", type=path, default="samples", help="a folder or a zip of pictures, or `samples`")
    trust.add_argument("--methods", help="names with commas between, see `resviz methods`; grad-cam@layer3.1 asks at that block")
    trust.add_argument("--baseline", default="mean", help="what a flipped pixel becomes: mean, black, blur or noise")
    device_option(trust)
    trust.add_argument("--out", type=path, help="write the mean ranks as .png, .svg or .html, or every interval as .csv")
    trust.set_defaults(run=_trust)
    json_option(trust)
