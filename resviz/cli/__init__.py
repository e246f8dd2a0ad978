"""`python -m resviz COMMAND`: as thin as a page; errors are one line with exit code 2."""

from __future__ import annotations

import argparse
import json
import logging
import math
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from resviz.guard import brief, door, nearest, quoted
from resviz.spec.names import describe
from resviz.spec.net import Activation, Init, NetSpec, Norm, Stem
from resviz.spec.presets import PRESETS
from resviz.spec.query import from_query, to_query_string

if TYPE_CHECKING:
    from PIL.Image import Image

    from resviz.data.images import ImageSet
    from resviz.training.recipes import Recipe
    from resviz.zoo.checkpoint import Answers
    from resviz.zoo.classifier import Classifier

__all__ = ["main"]


def _spec(text: str) -> NetSpec:
    """A preset's name, or the query string that a page's URL holds."""
    if text in PRESETS:
        return PRESETS[text]
    if "=" not in text and text:
        raise ValueError(
            f"{quoted(text)!r} is no preset; choose one of {', '.join(PRESETS)}, or give a query such as blocks=2-2-2{nearest(text, PRESETS)}"
        )
    spec, problems = from_query(text)
    if problems:
        raise ValueError(problems[0])
    return spec


def _show(args: argparse.Namespace, result: dict[str, Any], text: str) -> int:
    print(json.dumps(result, ensure_ascii=False) if args.json else text)
    return 0


_FIGURES = (".png", ".svg", ".html")


def _out(text: str | None, endings: Sequence[str]) -> Path | None:
    """The file to write, checked before anything is computed for it."""
    if text is None:
        return None
    path = Path(text)
    if path.suffix.lower() not in endings:
        raise ValueError(f"{quoted(text)!r} has no known ending; use {', '.join(endings[:-1])} or {endings[-1]}")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {quoted(path.parent)!r} to write into; make it first")
    return path


def _write_figure(figure: Any, path: Path) -> None:
    """A plotly figure as .html, or as .png or .svg where a Chrome is installed."""
    import plotly.graph_objects as go

    figure = go.Figure(figure)
    if path.suffix.lower() == ".html":
        figure.write_html(path)
        return
    figure.update_layout(paper_bgcolor="white", plot_bgcolor="white")
    logging.getLogger("choreographer").setLevel(logging.CRITICAL)  # it would speak before we do
    try:
        image = figure.to_image(path.suffix.lower().removeprefix("."), width=1100, scale=2)
    except Exception as error:  # the browser's driver has a dozen of its own, and their texts are tuples and whole paragraphs
        raise ValueError(
            f"{quoted(path)} cannot be drawn: Plotly finds no Chrome or Chromium that runs here; install one, or write .html"
        ) from error
    path.write_bytes(image)


def _summary(args: argparse.Namespace) -> int:
    from resviz.figures.diagram import network_diagram, to_svg
    from resviz.nets.cost import layer_table

    spec, out = _spec(args.net), _out(args.out, (".svg", ".html"))
    table = layer_table(spec, args.size or (224 if spec.stem is Stem.IMAGENET else 32))
    if out:
        svg = to_svg(network_diagram(table), describe(spec))
        page = svg if out.suffix.lower() == ".svg" else f"<!doctype html><meta charset=utf-8>{svg}"
        out.write_text(page, encoding="utf-8")
    lines = [f"{r.name:24} {r.kind:20} {'×'.join(map(str, r.out_shape)):>14} {r.params:>12,} {r.macs:>14,}" for r in table.rows]
    lines.append(f"{describe(spec)}: {table.params:,} parameters, {table.macs:,} MACs")
    result = {
        "spec": to_query_string(spec),
        "params": table.params,
        "macs": table.macs,
        "layers": [r.costs() for r in table.rows],
    }
    return _show(args, result, "\n".join(lines))


def _gradients(args: argparse.Namespace) -> int:
    from resviz.data.images import probe_batch
    from resviz.figures.axes import log_range
    from resviz.figures.captions import gradient_note
    from resviz.figures.chart import to_plotly
    from resviz.figures.gradients import gradient_profiles
    from resviz.nets.build import build
    from resviz.nets.cost import check_memory
    from resviz.probes.gradients import gradient_probe

    spec, out = _spec(args.net), _out(args.out, _FIGURES)
    spec = spec.plain() if args.plain else spec
    changes: dict[str, Any] = {"norm": Norm(args.norm)} if args.norm else {}
    changes |= {"init": Init(args.init)} if args.init else {}
    spec = spec.resized(**changes)
    side = args.size or (64 if spec.stem is Stem.IMAGENET else 8)
    batch = args.batch or (16 if spec.stem is Stem.IMAGENET else 64)  # as the page takes them
    check_memory(spec, side, batch)
    images, targets = probe_batch(batch, spec.in_channels, side, spec.classes)
    probe = gradient_probe(build(spec).train(), images, targets)
    profile, note = probe.profile, _plainly(gradient_note(spec, probe))
    if out:
        key = "residual" if spec.residual else "plain"
        _write_figure(to_plotly(gradient_profiles({key: profile}, log_range(profile.norms))), out)
    # JSON has no infinity: overflow is null
    norms = [float(n) if math.isfinite(n) else None for n in profile.norms]
    result = {"spec": to_query_string(spec), "loss": profile.loss, "names": profile.names, "norms": norms, "says": note}
    lines = [f"{name:24} {norm:.4g}" for name, norm in zip(profile.names, profile.norms, strict=True)]
    return _show(args, result, "\n".join([*lines, f"{describe(spec)}, {batch} digits of {side} px. {note}"]))


def _plainly(note: str) -> str:
    """A caption without its Markdown."""
    return note.replace("**", "").replace("`", "")


def _classifier(name: str, args: argparse.Namespace) -> Classifier:
    """A bundled network, ImageNet's weights, or a file, whatever its ending; what a file does not say is said on stderr."""
    from resviz.zoo.bundled import every_name, load_bundled
    from resviz.zoo.checkpoint import Answers
    from resviz.zoo.imagenet import load_imagenet, weights

    answers, file = _answers(args), Path(name)
    if name not in weights() and name not in every_name() and _is_file(file):
        return _own(file, answers)
    if answers != Answers():
        raise ValueError(f"{quoted(name)} is no file, and what it was trained on is known; leave out --plain, --classes, --mean, --std, --size and the like")  # fmt: skip
    if name not in weights():
        if file.suffix and name not in every_name():
            raise ValueError(
                f"there is no file {quoted(name)!r}, nor a network of that name; choose one of {', '.join(every_name())}"
            )
        return load_bundled(name)
    if not weights()[name].intact:
        _download(name)
    return load_imagenet(name)


def _is_file(path: Path) -> bool:
    """Whether it is there; a text that no path can be, such as a long list of names, is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _own(file: Path, answers: Answers) -> Classifier:
    from resviz.budget import budget
    from resviz.zoo.checkpoint import load

    if 2 * file.stat().st_size > budget().limit:
        raise ValueError(
            f"{quoted(file)} has {file.stat().st_size >> 20:,} MB, more than can be read here; save the network's state_dict alone"
        )
    card = file.with_suffix(".json")
    found = load(
        file.read_bytes(), file.name, answers, card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None
    )
    said = [f"not in the file, taken so: {guess}" for guess in found.guesses] + list(found.notes)
    if len(found.copies) > 1:
        said.append(f"the file holds {len(found.copies)} networks, choose with --weights: {', '.join(found.copies)}")
    for line in said:
        print(f"{found.name}: {line}", file=sys.stderr)
    return found


_BAR: dict[str, Any] = {"leave": False, "disable": None}  # only where someone watches, and gone before what is said next


def _download(name: str) -> None:
    from tqdm import tqdm

    from resviz.zoo.imagenet import download, weights

    with tqdm(total=100, unit="%", desc=name, **_BAR) as bar:
        for fraction in download(weights()[name]):
            bar.update(round(100 * fraction) - bar.n)


def _answers(args: argparse.Namespace) -> Answers:
    """What the command line says of a checkpoint file."""
    from resviz.zoo.checkpoint import Answers

    def numbers(option: str) -> tuple[float, ...] | None:
        text = getattr(args, option)
        try:
            return None if text is None else tuple(float(part) for part in text.split(","))
        except ValueError as error:
            raise ValueError(
                f"--{option} {quoted(text)!r} is no row of numbers; write for example --{option} 0.49,0.48,0.45"
            ) from error

    classes = None
    if args.classes is not None:
        listed = Path(args.classes)
        with door(ValueError, f"--classes {quoted(listed)} is no text in UTF-8 ({{}}); write one class name a line"):
            lines = listed.read_text(encoding="utf-8").splitlines() if _is_file(listed) else args.classes.split(",")
        classes = tuple(line.strip() for line in lines if line.strip())
    return Answers(
        network=args.weights, plain=args.plain or None, preact=args.preact or None, pool=args.pool or None, groups=args.groups,
        activation=Activation(args.activation) if args.activation else None, classes=classes, size=args.size,
        mean=numbers("mean"), std=numbers("std"),
    )  # fmt: skip


def _told_apart(classifiers: Sequence[Classifier], models: Sequence[str]) -> list[Classifier]:
    """Files of one name get their folder's too, and a number where that is the same."""
    from resviz.zoo.checkpoint import plain_name

    names: list[str] = []
    for classifier, model in zip(classifiers, models, strict=True):
        name = classifier.name
        if sum(other.name == name for other in classifiers) > 1:
            name = plain_name(f"{Path(model).resolve().parent.name}-{name}")
        again = names.count(name)
        names.append(name if name not in names else f"{name} ({again + 1})")
    return [replace(classifier, name=name) for classifier, name in zip(classifiers, names, strict=True)]


def _picture(name: str) -> Image:
    """A picture from disk or from a pipe; what was done to read it is said on stderr."""
    from resviz.data.uploads import MAX_BYTES, ImageError, decode

    with open(name, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{quoted(name)} has more than {MAX_BYTES >> 20} MB; save it smaller")
    try:
        decoded = decode(data)
    except ImageError as error:
        raise ValueError(f"{quoted(name)}: {error}") from error
    for note in decoded.notes:
        print(f"{quoted(name)}: {note}", file=sys.stderr)
    return decoded.image


def _class(name: str, classifier: Classifier) -> int:
    """A class by its name."""
    if name not in classifier.categories:
        some = ", ".join(classifier.categories[:10]) + (" …" if len(classifier.categories) > 10 else "")
        raise ValueError(
            f"{quoted(name)!r} is no class of {classifier.name}; choose one of {some}{nearest(name, classifier.categories)}"
        )
    return classifier.categories.index(name)


def _predict(args: argparse.Namespace) -> int:
    from resviz.zoo.classifier import predict

    image = _picture(args.image)
    classifier = _classifier(args.model, args)
    prediction = predict(classifier, image)
    ranked = prediction.top(args.top)
    classes = [{"class": name, "probability": probability} for name, probability in ranked]
    text = "\n".join(f"{100 * probability:6.2f} %  {name}" for name, probability in ranked)
    return _show(args, {"model": classifier.name, "entropy": prediction.entropy, "classes": classes}, text)


def _explain(args: argparse.Namespace) -> int:
    from resviz.attribution.question import Asked, Case, attribute
    from resviz.figures.captions import attribution_note
    from resviz.figures.overlay import Look, attribution_figure, overlay_image
    from resviz.zoo.classifier import predict

    if args.methods is not None or Path(args.image).is_dir() or args.image.lower().endswith(".zip"):
        return _explain_all(args)
    out = _out(args.out, _FIGURES)
    assert out is not None  # it has a default
    asked = Asked.of(args.method, _options(args.option) | ({"layer": args.layer} if args.layer is not None else {}))
    image = _picture(args.image)
    classifier = _classifier(args.model, args)
    name = predict(classifier, image).top(1)[0][0] if args.target is None else args.target
    target = _class(name, classifier)
    against = None if args.against is None else _class(args.against, classifier)
    result = attribute(Case(classifier, image, target, against), asked)
    window = classifier.preprocessing.window(image)
    if out.suffix.lower() == ".png":
        overlay_image(window, result, Look()).save(out)
    else:
        _write_figure(attribution_figure(window, result), out)
    note = attribution_note(result.delta, result.target_change, asked.entry.remedy)
    about = {"model": classifier.name, "class": name, "method": result.method, "delta": result.delta, "out": args.out}
    return _show(args, about, f"{args.out}: {args.method} for {name}. {note}".strip())


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
        raise ValueError("several are explained for each picture's most probable class with the methods' defaults; leave out --class, --against, --option and --layer")  # fmt: skip
    models = args.model.split(",")
    classifiers = _told_apart([_classifier(name, args) for name in models], models)

    def write(path: str, content: bytes) -> None:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)

    answers = explain_all(files_of(source), classifiers, methods)
    with Gallery(write) as gallery, tqdm(answers, unit="picture", **_BAR) as bar:
        for found in bar:
            gallery.add(found.name, found.network, found.window, found.prediction, found.maps, found.problem, found.notes)
    if not gallery.rows:
        raise ValueError(
            f"{quoted(args.image)} holds no picture; give a folder or a zip with PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF files"
        )
    problems = len(gallery.problems)
    about = {"out": str(out), "rows": len(gallery.rows), "problems": problems}
    return _show(args, about, f"{out / 'index.html'}: {len(gallery.rows)} rows in predictions.csv, {problems} with a problem")


def _methods(args: argparse.Namespace) -> int:
    from resviz.attribution.method import Choice
    from resviz.attribution.methods.table import METHODS

    found = {}
    for name, method in METHODS.items():
        parameters = {
            option: {"default": p.default} | ({"choices": p.choices} if isinstance(p, Choice) else {"low": p.low, "high": p.high})
            for option, p in method.parameters.items()
        }
        found[name] = {"title": method.title, "family": method.family, "paper": method.paper, "answers": method.answers,
                       "assumes": method.assumes, "parameters": parameters}  # fmt: skip
    lines = []
    for name, about in found.items():
        lines.append(f"{name:22} {about['answers']} ({about['paper']})")
        for option, p in METHODS[name].parameters.items():
            span = ", ".join(p.choices) if isinstance(p, Choice) else f"{p.low:g} to {p.high:g}"
            lines.append(f"{'':22}   --option {option}={p.default}   {span}. {p.help}")
    return _show(args, found, "\n".join(lines))


def _options(given: list[str]) -> dict[str, Any]:
    """NAME=VALUE pairs; a number where it is one."""
    options: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--option {quoted(pair)!r} is no NAME=VALUE; write for example --option steps=100")
        try:
            options[name] = float(value)
        except ValueError:
            options[name] = value
    return options


def _train(args: argparse.Namespace) -> int:
    from filelock import FileLock, Timeout

    from resviz.training.export import ending

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
    spec = replace(_spec(args.net), classes=len(train.categories), in_channels=train.images.shape[1], seed=args.seed)
    _say_left_out(args.data, train=train, test=test)
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


def _first(args: argparse.Namespace) -> int:
    from resviz.training.first import MEASURES, measure
    from resviz.zoo.first import write_first

    print("\n".join(str(write_first(name, measure(name), Path(args.out))) for name in MEASURES))
    return 0


_ORIGINAL = "CIFAR-10 (torchvision)"  # what a card calls the data of `--data cifar10`


def _recipe(args: argparse.Namespace) -> Recipe:
    from resviz.training.recipes import RECIPES

    recipe = RECIPES[args.recipe]
    recipe = replace(recipe, epochs=args.epochs or recipe.epochs, batch=args.batch or recipe.batch)
    return recipe.up_to(args.size) if args.size and recipe.sides else recipe


def _training_data(args: argparse.Namespace, recipe: Recipe) -> tuple[ImageSet, ImageSet, str]:
    """The training and the test images, and what the card calls them."""
    from resviz.data.images import cifar10, data_root, split_folder

    if args.data == "cifar10":
        return *cifar10(data_root()), _ORIGINAL
    name = args.data_name or Path(args.data).name
    if recipe.sides:
        return *split_folder(Path(args.data), recipe.sides[-1], spare=1.25), name
    return *split_folder(Path(args.data), args.size), name


def _say_left_out(data: str, **sets: ImageSet) -> None:
    """What lay beside the images and could not be read, on stderr."""
    for part, images in sets.items():
        for line in images.left_out:
            print(f"left out of {quoted(data)}, {part}: {quoted(line, 300)}", file=sys.stderr)


def _zoo_list(args: argparse.Namespace) -> int:
    from resviz.zoo.bundled import bundled_names, bundled_problems, card

    for problem in bundled_problems():
        print(f"resviz: {problem}", file=sys.stderr)
    cards = {name: card(name) for name in bundled_names()}
    lines = [
        f"{name:22} {about['measured']['test_error']:6.2f} % test error  {about['title']}; {about['data']}, {about['epochs']} epochs"
        for name, about in cards.items()
    ]
    return _show(args, cards, "\n".join(lines))


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
    return _show(args, {name: to_card(scope) for name, scope in found.items()}, "\n".join(lines))


def _zoo_verify(args: argparse.Namespace) -> int:
    from resviz.probes.accuracy import evaluate
    from resviz.zoo.bundled import bundled_names, card, every_name

    found: dict[str, Any] = {}
    agreed, refused = True, []
    for name in args.names or bundled_names():
        about = card(name) if name in every_name() else None
        if about is not None and args.data == "cifar10" and about["data"] != _ORIGINAL:
            refused.append(f"{name} needs {about['data']}")
            continue
        classifier = _classifier(name, argparse.Namespace(**_UNTOLD) if about else args)
        test = _test_images(args.data, classifier)
        if test is not None and not found:
            _say_left_out(args.data, test=test)
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
    _show(args, found, "\n".join(lines))
    return 0 if agreed else 1


def _at_least(low: int, high: int = 2**31 - 1) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`; argparse names the option in its error."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,10}", text, re.ASCII) or not low <= int(text) <= high:
            span = f"of at least {low}" if high == 2**31 - 1 else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"must be a whole number {span}, got {quoted(text)!r}")
        return int(text)

    return read


def _path(text: str) -> str:
    """A reader of paths: an empty one would be the folder that one stands in."""
    if not text.strip():
        raise argparse.ArgumentTypeError("names no file or folder; was a variable empty?")
    return text


def _test_images(data: str, classifier: Classifier) -> ImageSet | None:
    """The test images as this network wants them; None where they are of other classes."""
    from resviz.data.images import cifar10, data_root, held_out

    shown = classifier.preprocessing
    if data == "cifar10":
        test = cifar10(data_root())[1]
    else:
        test = held_out(Path(data), shown.crop, shown.resize if shown.resize != shown.crop else None)
    names = tuple(name.replace("_", " ") for name in test.categories)
    unnamed = any(guess.field == "classes" for guess in classifier.guesses)
    if len(names) != len(classifier.categories) or (not unnamed and names != classifier.categories):
        return None
    return replace(test, mean=shown.mean, std=shown.std)


_UNTOLD: dict[str, Any] = dict.fromkeys(
    ("weights", "plain", "preact", "pool", "groups", "activation", "classes", "mean", "std", "size")
)


def _about_a_file(command: argparse.ArgumentParser) -> None:
    """Options for what a checkpoint file does not say."""
    told = command.add_argument_group(
        "of a checkpoint file", "what its tensors cannot say; a .json card beside it says most of it"
    )
    told.add_argument("--weights", metavar="NAME", help="which of several networks in the file")
    told.add_argument("--plain", action="store_true", help="it was trained without skips")
    told.add_argument("--preact", action="store_true", help="a network without norms has pre-activation blocks")
    told.add_argument("--pool", action="store_true", help="a max pool follows its 3×3 stem")
    told.add_argument("--groups", type=_at_least(1, 1024), help="groups of its group norms; 16 channels each unless told")
    told.add_argument("--activation", choices=[a.value for a in Activation])
    told.add_argument("--classes", metavar="NAMES", help="class names with commas between, or a text file with one a line")
    told.add_argument("--mean", help="of its training pictures, one number a channel: 0.49,0.48,0.45")
    told.add_argument("--std", help="their standard deviation")
    told.add_argument("--size", type=_at_least(8, 1024), help="side of the pictures it was trained with, in pixels")


class _Parser(argparse.ArgumentParser):
    """Its refusals are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="resviz", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    summary = commands.add_parser("summary", help="every layer of a network, and its totals")
    summary.add_argument("net", help="a preset such as resnet50, or the query string of a page's link")
    summary.add_argument("--size", type=_at_least(1, 100_000), help="image side in pixels")
    summary.add_argument("--out", type=_path, help="write the block diagram to this .svg or .html file")
    summary.set_defaults(run=_summary)

    gradients = commands.add_parser("gradients", help="the weight-gradient norm of every layer after one backward pass")
    gradients.add_argument("net", help="a preset such as resnet56, or the query string of a page's link")
    gradients.add_argument("--plain", action="store_true", help="without any skip")
    gradients.add_argument("--norm", choices=[n.value for n in Norm])
    gradients.add_argument("--init", choices=[i.value for i in Init])
    gradients.add_argument("--size", type=_at_least(1, 100_000), help="image side in pixels")
    gradients.add_argument(
        "--batch", type=_at_least(1), help="images in the batch of handwritten digits; 64, or 16 with an ImageNet stem"
    )
    gradients.add_argument("--out", type=_path, help="write the figure to this .png, .svg or .html file")
    gradients.set_defaults(run=_gradients)

    predict = commands.add_parser("predict", help="the most probable classes of a photograph")
    explain = commands.add_parser("explain", help="the evidence for a class, laid over the photograph")
    for command in (predict, explain):
        command.add_argument("image", type=_path)
        command.add_argument(
            "--model", default="resnet18-imagenette", help="a bundled network, resnet50.V2, or a checkpoint file"
        )
        _about_a_file(command)
    predict.add_argument("--top", type=_at_least(1), default=5, help="classes to list")
    predict.set_defaults(run=_predict)
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
        type=_path,
        default="attribution.png",
        help=".png, .svg or .html file; for several pictures or methods the folder to write",
    )
    explain.set_defaults(run=_explain)
    methods = commands.add_parser("methods", help="the attribution methods, what they answer, and their parameters")
    methods.set_defaults(run=_methods)
    zoo = commands.add_parser("zoo", help="the bundled networks and what was measured of them").add_subparsers(
        required=True, metavar="list|verify"
    )
    listed = zoo.add_parser("list", help="every bundled network with its card")
    listed.set_defaults(run=_zoo_list)
    verify = zoo.add_parser("verify", help="measure the test error again and compare it with the card; exit code 1 if it differs")
    verify.add_argument("names", nargs="*", help="bundled networks or checkpoint files; every bundled one that fits unless named")
    _about_a_file(verify)
    verify.add_argument("--data", type=_path, required=True, help="cifar10, or a folder with test/CLASS/*.jpg or val/CLASS/*.jpg")
    verify.set_defaults(run=_zoo_verify)
    scope = zoo.add_parser("scope", help="measure how well a network tells pictures of its classes from others")
    scope.add_argument("names", nargs="*", help="bundled networks; all that fit the data unless named")
    scope.add_argument(
        "--data", type=_path, required=True, help="a folder with test/CLASS/*.jpg or val/CLASS/*.jpg of its own classes"
    )
    scope.add_argument("--outside", type=_path, required=True, help="a folder of other classes, laid out alike")
    scope.add_argument("--outside-name", default="", help="what the card calls them")
    scope.add_argument("--leave-out", default="", metavar="A,B", help="classes of the others that a class of its own fits")
    scope.add_argument("--pictures", type=_at_least(1), default=1000, help="pictures a side")
    scope.add_argument("--write", action="store_true", help="write what was measured into the cards")
    scope.set_defaults(run=_zoo_scope)
    for command in (summary, gradients, predict, explain, methods, listed, verify, scope):
        command.add_argument("--json", action="store_true", help="print the result as JSON")

    first = commands.add_parser("first", help="measure what each page opens with, which it shows until PyTorch is loaded")
    first.add_argument("--out", default="assets/first", help="folder to write")
    first.set_defaults(run=_first)

    train = commands.add_parser("train", help="train a network; run the same command again to take up where it stopped")
    train.add_argument("--net", default="resnet20", help="a preset or a query string")
    train.add_argument(
        "--data", type=_path, required=True, help="cifar10, or a folder with train/CLASS/*.jpg and test/CLASS/*.jpg"
    )
    train.add_argument("--data-name", default="", help="what the card calls the data")
    train.add_argument("--caveat", default="", help="what the card says to bear in mind about the data")
    train.add_argument(
        "--size", type=_at_least(8), help="resize and centre-crop images to this side; the largest of growing sizes"
    )
    train.add_argument("--recipe", default="he2015-cifar", choices=("he2015-cifar", "photographs"))
    train.add_argument("--half", action="store_true", help="store the weights as float16")
    train.add_argument("--epochs", type=_at_least(1))
    train.add_argument("--batch", type=_at_least(2))
    train.add_argument("--precision", choices=("float32", "bfloat16"), help="what this machine does fastest unless given")
    train.add_argument("--threads", type=_at_least(1), help="what this machine does fastest unless given")
    train.add_argument("--seed", type=_at_least(0), default=0)
    train.add_argument("--out", type=_path, required=True, help="path of the results, without ending")
    train.add_argument("--quiet", action="store_true")
    train.set_defaults(run=_train)
    return parser


def _one_line(error: BaseException) -> str:
    """What went wrong, as one line whatever the reader or the library wrote."""
    if isinstance(error, OSError) and error.strerror:
        return f"{quoted(error.filename)}: {error.strerror}" if error.filename is not None else error.strerror
    return brief(error, 900)


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _parser().parse_args(argv)
        args.argv = argv
        return int(args.run(args))
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        print(f"resviz: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
