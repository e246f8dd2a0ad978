"""`explain` and `methods`: the evidence for a class, by one method or several, for one picture or many."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from resviz.cli.networks import about_a_picture, class_index, classifier_of, told_apart
from resviz.cli.values import BAR, FIGURES, Commands, device_option, json_option, out_file, path, picture, show, write_figure
from resviz.guard import nearest, quoted

if TYPE_CHECKING:
    pass

__all__ = ["add"]


def _explain(args: argparse.Namespace) -> int:
    from resviz.attribution.question import Asked, Case, attribute
    from resviz.figures.captions import attribution_note
    from resviz.figures.overlay import Look, attribution_figure, overlay_image
    from resviz.zoo.classifier import predict

    if args.methods is not None or Path(args.image).is_dir() or args.image.lower().endswith(".zip"):
        return _explain_all(args)
    out = out_file(args.out, FIGURES)
    assert out is not None  # it has a default
    asked = Asked.of(args.method, _options(args.option) | ({"layer": args.layer} if args.layer is not None else {}))
    image = picture(args.image)
    classifier = classifier_of(args.model, args)
    name = predict(classifier, image).top(1)[0][0] if args.target is None else args.target
    target = class_index(name, classifier)
    against = None if args.against is None else class_index(args.against, classifier)
    result = attribute(Case(classifier, image, target, against), asked)
    window = classifier.preprocessing.window(image)
    if out.suffix.lower() == ".png":
        overlay_image(window, result, Look()).save(out)
    else:
        write_figure(attribution_figure(window, result), out)
    note = attribution_note(result.delta, result.target_change, asked.entry.remedy)
    about = {"model": classifier.name, "class": name, "method": result.method, "delta": result.delta, "out": args.out}
    return show(args, about, f"{args.out}: {args.method} for {name}. {note}".strip())


def _explain_all(args: argparse.Namespace) -> int:
    """A folder, a zip, or one picture with several methods: maps, predictions.csv and index.html under --out."""
    from tqdm import tqdm

    from resviz.attribution.folders import explain_all
    from resviz.attribution.methods.table import METHODS
    from resviz.attribution.question import Asked
    from resviz.data.unpack import files_of
    from resviz.figures.reports.gallery import Gallery

    source, out = Path(args.image), Path("explanations" if args.out == "attribution.png" else args.out)
    methods = [Asked.of(name) for name in (args.method if args.methods is None else args.methods).split(",")]
    for asked in methods:
        if asked.method not in METHODS:
            near = nearest(asked.method, METHODS)
            raise ValueError(f"{quoted(asked.method)!r} is no method; choose from {', '.join(METHODS)}{near}")
        if asked.layer is not None and not asked.entry.layer:
            raise ValueError(f"{asked.entry.title} looks at no layer; leave out @{quoted(asked.layer)}")
    if args.target or args.against or args.option or args.layer:
        raise ValueError(
            "several are explained for each picture's most probable class with the methods' defaults; leave out --class, --against, --option and --layer"
        )
    models = args.model.split(",")
    classifiers = told_apart([classifier_of(name, args) for name in models], models)

    def write(path: str, content: bytes) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)

    answers = explain_all(files_of(source), classifiers, methods)
    with Gallery(write) as gallery, tqdm(answers, unit="picture", **BAR) as bar:
        for found in bar:
            gallery.add(
                found.name,
                network=found.network,
                window=found.window,
                prediction=found.prediction,
                maps=found.maps,
                problem=found.problem,
                notes=found.notes,
            )
    if not gallery.rows:
        raise ValueError(
            f"{quoted(args.image)} holds no picture; give a folder or a zip with PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF files"
        )
    problems = len(gallery.problems)
    about = {"out": str(out), "rows": len(gallery.rows), "problems": problems}
    return show(args, about, f"{out / 'index.html'}: {len(gallery.rows)} rows in predictions.csv, {problems} with a problem")


def _options(given: list[str]) -> dict[str, float | str]:
    """NAME=VALUE pairs; a number where it is one."""
    options: dict[str, float | str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--option {quoted(pair)!r} is no NAME=VALUE; write for example --option steps=100")
        try:
            options[name] = float(value)
        except ValueError:
            options[name] = value
    return options


def _methods(args: argparse.Namespace) -> int:
    from resviz.attribution.method import Choice
    from resviz.attribution.methods.table import METHODS

    found = {}
    for name, method in METHODS.items():
        parameters = {
            option: {"default": p.default} | ({"choices": p.choices} if isinstance(p, Choice) else {"low": p.low, "high": p.high})
            for option, p in method.parameters.items()
        }
        found[name] = {
            "title": method.title,
            "family": method.family,
            "paper": method.paper,
            "answers": method.answers,
            "assumes": method.assumes,
            "parameters": parameters,
        }
    lines = []
    for name, about in found.items():
        lines.append(f"{name:22} {about['answers']} ({about['paper']})")
        for option, p in METHODS[name].parameters.items():
            span = ", ".join(p.choices) if isinstance(p, Choice) else f"{p.low:g} to {p.high:g}"
            lines.append(f"{'':22}   --option {option}={p.default}   {span}. {p.help}")
    return show(args, found, "\n".join(lines))


def add(commands: Commands) -> None:
    """Both commands' own parsers."""
    explain = commands.add_parser("explain", help="the evidence for a class, laid over the photograph")
    about_a_picture(explain)
    explain.add_argument(
        "--method", default="integrated-gradients", help="one of `resviz methods`; grad-cam@layer3.1 asks at that block"
    )
    explain.add_argument("--methods", help="several, with commas between; grad-cam@layer3.1 asks at that block")
    explain.add_argument("--against", help="class name: evidence for --class rather than for this one")
    explain.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the method, see `resviz methods`: steps=100",
    )
    explain.add_argument("--class", dest="target", help="class name; the most probable one by default")
    explain.add_argument("--layer", help="block for a layer method, such as layer3.2")
    explain.add_argument(
        "--out",
        type=path,
        default="attribution.png",
        help=".png, .svg or .html file; for several pictures or methods the folder to write",
    )
    device_option(explain)
    explain.set_defaults(run=_explain)
    json_option(explain)
    methods = commands.add_parser("methods", help="the attribution methods, what they answer, and their parameters")
    methods.set_defaults(run=_methods)
    json_option(methods)
