"""The scripts of the pages: their own tests, their joining, their colours, and that they paint what the reports show."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resviz.figures.overlay import Look, OverlayStyle, overlay_image, painting, poles
from resviz.figures.theme import css_variables, rgb
from resviz.results import Attribution
from resviz.ui.components.evidence import _map
from resviz.ui.components.mount import script

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ROOT / "resviz" / "ui" / "components"
VIEWS = (
    "chart/chart",
    "diagram/diagram",
    "evidence/look",
    "evidence/panel",
    "link/link",
    "plane/plane",
    "rows/rows",
    "stage/stage",
)
SIDE = 48

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node not found: JavaScript is not tested")


def node(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", *arguments], cwd=ROOT, input=given, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )


@needs_node
def test_every_pure_function_passes_its_own_test() -> None:
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "javascript").glob("*.test.js"))
    done = node("--test", *files)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert len(files) >= 8


@needs_node
@pytest.mark.parametrize("view", VIEWS)
def test_a_joined_script_is_one_module(view: str, tmp_path: Path) -> None:
    text = script(COMPONENTS / f"{view}.js")
    (tmp_path / "joined.mjs").write_text(text, encoding="utf-8")
    done = node("--check", str(tmp_path / "joined.mjs"))  # a name that two of the modules use would end here
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("view", VIEWS)
def test_joining_leaves_one_export_and_no_import_and_each_module_once(view: str) -> None:
    text = script(COMPONENTS / f"{view}.js")
    outside = re.findall(r"^(?:export|import)\b.*", text, re.MULTILINE)
    assert [line[:40] for line in outside] == ["export default function ({ parentElement"]
    assert text.count("function mount(") == 1
    assert text.index("function mount(") < text.index("export default")


def test_colours_are_written_in_the_theme_alone() -> None:
    files = [path for path in COMPONENTS.rglob("*") if path.suffix in (".js", ".css", ".html")]
    assert len(files) >= 15
    own = {name for path in files if path.suffix == ".js" for name in re.findall(r'"--(\w+)"', path.read_text(encoding="utf-8"))}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"#[0-9A-Fa-f]{6}\b", text), path.name
        declared = set(re.findall(r"--([\w-]+):", css_variables())) | own | {"at", "small", "shrink"}
        used = set(re.findall(r"var\(--(?!st-)([\w-]+)", text)) | set(re.findall(r"(?:paint|colour\(root, )\(?\"(\w+)\"", text))
        assert used <= declared, path.name


def evidence(signed: bool = True) -> Attribution:
    """Hills and noise, as large as the network's input."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    values = np.sin(7 * rows) * np.cos(5 * columns) + 0.3 * rng.normal(size=(SIDE, SIDE))
    return Attribution("saliency", 0, values if signed else np.abs(values), signed)


def photograph() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8))


def in_the_browser(attribution: Attribution, look: Look) -> dict[str, object]:
    given = {"map": _map(attribution, None), "look": asdict(look), "painting": painting(attribution.signed)}
    done = node("tests/javascript/painted.js", given=json.dumps(given))
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@needs_node
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("style", [OverlayStyle.SIGNED, OverlayStyle.HEAT, OverlayStyle.MASKED])
def test_a_map_is_painted_in_the_browser_as_in_reports(style: OverlayStyle, signed: bool) -> None:
    image, look = photograph(), Look(0.6, style, 83.0)
    painted = np.array(in_the_browser(evidence(signed), look)["pixels"], np.float64).reshape(SIDE, SIDE, 4)
    alpha = painted[..., 3:] / 255
    under = image if style is OverlayStyle.MASKED else image.convert("L").convert("RGB")
    shown = np.asarray(under, np.float64) * (1 - alpha) + painted[..., :3] * alpha
    off = np.abs(shown - np.asarray(overlay_image(image, evidence(signed), look), np.float64))
    # 16 bits of a value may fall to the other side of a heat colour's border or of a sign
    assert np.percentile(off, 99.5) <= 1.5
    assert off.mean() < 0.5


@needs_node
@pytest.mark.parametrize("percentile", [60.0, 90.0])
def test_a_contour_lies_where_reports_draw_it(percentile: float) -> None:
    look = Look(style=OverlayStyle.CONTOUR, percentile=percentile)
    found = in_the_browser(evidence(), look)
    plain = Image.new("RGB", (SIDE, SIDE), "white")
    line = (np.asarray(overlay_image(plain, evidence(), look)) == rgb(poles(True)[0])).all(-1)
    inside = np.array(found["inside"]).reshape(SIDE, SIDE)
    beside = np.zeros_like(inside)
    for axis in (0, 1):
        for by in (-2, -1, 1, 2):
            beside |= ~np.roll(inside, by, axis)
    assert (line != (inside & beside)).mean() < 0.002  # a report's line is two pixels wide, inside
    places = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", str(found["outline"])), np.float64)
    assert len(places) > 40
    between = places[((places - 0.5) % 1).any(-1)]  # rounding to two digits may put a place on a pixel's very centre
    assert len(between) > 0.95 * len(places)
    for x, y in between - 0.5:  # a pixel inside on one hand and one outside on the other
        pair = {(int(row), int(column)) for row in (np.floor(y), np.ceil(y)) for column in (np.floor(x), np.ceil(x))}
        assert {bool(inside[at]) for at in pair} == {True, False}
