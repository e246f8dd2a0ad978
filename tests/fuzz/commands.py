"""Command lines, good and bad, run through `main` in a folder with good and bad files."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image
from safetensors.torch import save_file

from resviz.attribution.methods.table import METHODS
from resviz.cli import main
from resviz.nets.build import build
from resviz.spec.net import NetSpec
from tests.fuzz import checkpoints, pictures, zips
from tests.fuzz.claims import BrokenClaim, sentence

__all__ = ["KINDS", "Own", "ask", "make"]


class Own(Exception):
    """A command never raises: it prints its refusal."""


_NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "4",
    "1e3",
    "nan",
    "",
    "x",
    "9" * 400,
    "2147483648",
    "1.5",
    "٣",
    "0x10",
    "--",
    "-",
    "1 2",
    "a\nb",
)
_WORDS = ("", "x", "a\nb", "é", "\u202e", "x" * 3000, "../..", "cat", "--json", "-h", "*", "%s", "{}", "a\0b")
_NETS = ("blocks=1", "blocks=1-1&width=4", "blocks=1&norm=none", "blocks=1&block=bottleneck", "plain20", "resnet2000", "width=0", "cut=9.9",
         "blocks=512-512-512-512-512-512&width=1024", "blocks=1&in_channels=64", "blocks=1&width=128", *_WORDS)  # fmt: skip
_MODELS = (
    "own.safetensors",
    "resnet20-cifar10",
    "bad.pth",
    "photo.png",
    "nowhere.pth",
    "resnet2",
    "own.safetensors,resnet20-cifar10",
    ".",
    *_WORDS,
)
_FILES = (
    "photo.png",
    "photo.png",
    "bad.png",
    "bad.gif",
    "empty",
    "many",
    "good.zip",
    "bad.zip",
    "nowhere.png",
    "own.safetensors",
    ".",
    *_WORDS,
)
_OUTS = ("out.png", "out.html", "out", "deep/out.png", "out.jpg", "photo.png/x.png", *_WORDS)
_METHODS = (
    "saliency",
    "grad-cam",
    "grad-cam@layer1.0",
    "saliency@layer1.0",
    "grad-cam@layer9.9",
    "grad-cam@",
    "@",
    "salience",
    "lrp",
    "occlusion",
    *_WORDS,
)
_OPTIONS = ("steps=10", "steps=many", "stepz=5", "steps=", "=5", "steps", "steps=nan", "steps=-1", "steps=1e400", "baseline=black", "baseline=red", "window=4",
            "layer=layer1.0", "of=lrp", "black=1", "samples=20", *_WORDS)  # fmt: skip
_ABOUT_A_FILE = (
    ("--size", _NUMBERS), ("--groups", _NUMBERS), ("--mean", ("0.5", "0.5,0.5,0.5", "a", "nan,0,0", "", "1,2")), ("--std", ("1,1,1", "0,0,0", "inf,1,1")),
    ("--classes", ("a,b,c", "a", "photo.png", ",".join("name" for _ in range(2000)), *_WORDS)), ("--activation", ("tanh", "x")), ("--plain", ()),
    ("--preact", ()), ("--pool", ()), ("--weights", _WORDS),
)  # fmt: skip
_TRAINED = ("resnet20-digits-0", "plain20-digits-1", "own.safetensors", "bad.pth", "resnet20-digits-9", "blocks=1", *_WORDS)
_Choices = tuple[tuple[str, tuple[str, ...]], ...]
_COMMANDS: dict[str, tuple[tuple[tuple[str, ...], ...], _Choices]] = {
    "summary": ((_NETS,), (("--size", _NUMBERS), ("--out", ("net.svg", "net.html", *_OUTS)), ("--json", ()))),
    "compare": ((_NETS, _NETS), (("--size", _NUMBERS), ("--json", ()))),
    "gradients": ((_NETS,), (("--size", ("8", *_NUMBERS)), ("--batch", _NUMBERS), ("--norm", ("none", "group", "x")), ("--init", ("pytorch", "x")), ("--device", ("cpu", "tpu", *_WORDS)),
                             ("--plain", ()), ("--out", ("g.html", *_OUTS[1:])), ("--json", ()))),
    "predict": ((_FILES,), (("--model", _MODELS), ("--top", _NUMBERS), ("--json", ()), *_ABOUT_A_FILE)),
    "explain": ((_FILES,), (("--model", _MODELS), ("--method", _METHODS), ("--methods", ("saliency", "saliency,grad-cam", ",", *_METHODS)),
                            ("--option", _OPTIONS), ("--option", _OPTIONS), ("--layer", ("layer1.0", "layer3.9", *_WORDS)), ("--class", ("cat", "0", *_WORDS)),
                            ("--against", ("dog", *_WORDS)), ("--out", _OUTS), ("--json", ()), *_ABOUT_A_FILE)),
    "methods": ((), (("--json", ()), ("--top", _NUMBERS))),
    "zoo": ((("list", "verify", "scope", *_WORDS),), (("--data", ("data", "cut", "empty", "nowhere", *_WORDS)), ("--outside", ("data", "empty")),
                                                      ("--pictures", _NUMBERS), ("--leave-out", _WORDS), ("--json", ()))),
    "train": ((), (("--data", ("data", "data", "cut", "odd", "empty", "nowhere", *_WORDS)), ("--data", ("data",)), ("--out", ("run", *_WORDS)), ("--net", _NETS),
                   ("--size", ("8", *_NUMBERS)), ("--batch", ("4", *_NUMBERS)), ("--epochs", ("1", "0", "-1", "x")), ("--threads", ("1", "0")),
                   ("--seed", ("0", "-1", "x")), ("--recipe", ("he2015-cifar", "x")), ("--precision", ("float32", "x")), ("--half", ()), ("--quiet", ()))),
    **dict.fromkeys(("lesion", "paths", "refine", "skipless"), ((_TRAINED,), (("--pictures", ("4", *_NUMBERS)), ("--data", ("digits", "data", "empty", "nowhere", *_WORDS)), ("--out", ("out.html", *_OUTS[1:])), ("--json", ()), *_ABOUT_A_FILE))),
    "landscape": ((_TRAINED,), (("--grid", ("5", "9", *_NUMBERS)), ("--extent", _NUMBERS), ("--plane", _NUMBERS), ("--pictures", ("4", *_NUMBERS)),
                                ("--rate", _NUMBERS), ("--out", ("out.html", *_OUTS[1:])), ("--json", ()))),
    "similarity": ((_TRAINED, _TRAINED), (("--pictures", ("4", *_NUMBERS)), ("--out", ("out.html", *_OUTS[1:])), ("--json", ()))),
    "claims": ((), (("--only", ("half", "half,gated", "half,", *_WORDS)), ("--cifar", ("data", "nowhere", *_WORDS)), ("--draws", _NUMBERS),
                    ("--out", ("out.md", *_OUTS)), ("--json", ()))),
    "": ((_WORDS,), (("--help", ()), ("--version", ()))),
}  # fmt: skip
KINDS = len(_COMMANDS)
_SMALL = ("--model", "resnet20-cifar10")
_NEEDED = {"train": ("--epochs", "1", "--threads", "1", "--batch", "4"), "predict": _SMALL, "explain": _SMALL,
           "lesion": ("--pictures", "4", "--draws", "0"), "claims": ("--only", "path-share"), "landscape": ("--grid", "5", "--pictures", "4"),
           **dict.fromkeys(("paths", "refine", "skipless", "similarity"), ("--pictures", "4"))}  # fmt: skip


def make(rng: Random, index: int) -> tuple[str, list[str]]:
    """A command with some of its options, at times one of another's, at times a word too much or too few."""
    name = list(_COMMANDS)[index % len(_COMMANDS)]
    places, choices = _COMMANDS[name]
    argv = [name] if name else []
    argv += [rng.choice(values[:2] if rng.random() < 0.5 else values) for values in places]
    argv += _NEEDED.get(name, ())
    if rng.random() < 0.1:
        choices = _COMMANDS[rng.choice(list(_COMMANDS))][1]
    for option, values in rng.sample(choices, rng.randrange(min(len(choices), 5) + 1)):
        argv += [option, rng.choice(values[:2] if rng.random() < 0.5 else values)] if values else [option]
    if rng.random() < 0.1 and argv:
        argv[rng.randrange(len(argv))] = rng.choice((*_WORDS, *_NUMBERS))
    if rng.random() < 0.05:
        del argv[rng.randrange(len(argv) or 1) :]
    if name == "train" and "--out" not in argv:
        argv += ["--out", "run"]
    return " ".join(argv)[:200], argv


@cache
def _furnished() -> None:
    """The folder that the worker stands in, with good and bad files."""
    rng = Random(0)

    def picture(path: Path, seed: int, side: int = 12) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)).save(path)

    picture(Path("photo.png"), 0, 32)
    Path("bad.png").write_bytes(pictures.make(rng, 5)[1])
    Path("bad.gif").write_bytes(b"GIF89a" + b"\xff" * 40)
    Path("bad.pth").write_bytes(checkpoints.make(rng, 0)[1]["data"])
    Path("good.zip").write_bytes(zips.packed([("a.png", Path("photo.png").read_bytes()), ("b.png", b"no")], 8))
    Path("bad.zip").write_bytes(Path("good.zip").read_bytes()[:-30])
    Path("empty").mkdir(exist_ok=True)
    for n in range(2):
        picture(Path("many") / f"{n}.png", n)
    save_file(build(NetSpec(blocks=(1, 1), width=4, classes=3)).state_dict(), "own.safetensors")
    for folder in ("data", "cut", "odd"):
        for part in ("train", "test"):
            for name in ("ant", "bee") if folder != "odd" or part == "train" else ("bee", "cow"):
                for n in range(4):
                    picture(Path(folder) / part / name / f"{n}.png", n)
    Path("cut/train/ant/0.png").write_bytes(Path("photo.png").read_bytes()[:90])


def ask(argv: list[str]) -> str:
    """Exit code 0, or 2 and one line that says why."""
    _furnished()
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as end:  # of --help
            code = int(end.code or 0)
    for trace in (*Path().glob("run*"), *Path().glob("out*"), *Path().glob("explanations*")):  # a run would be taken up
        shutil.rmtree(trace) if trace.is_dir() else trace.unlink()
    said = err.getvalue().splitlines()
    if "Traceback" in err.getvalue() or code not in (0, 1, 2):
        raise BrokenClaim(f"exit code {code}: {err.getvalue()[-300:]}")
    if code != 2:
        return "read"
    if not said or not said[-1].startswith("resviz: ") or out.getvalue():
        raise BrokenClaim(f"exit code 2 with {err.getvalue()[-300:]!r} and {out.getvalue()[-100:]!r}")
    return sentence(said[-1])


if set(METHODS).isdisjoint(_METHODS):
    raise RuntimeError("no method of these is known any more")
