"""Every chart as data, beside what it was: `python -m tests.test_charts` writes the golden files anew, for a reader to compare."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from resviz.figures import faithfulness, gradients, lab, overlay, prediction, training, trust
from resviz.figures.chart import Chart, to_plotly
from resviz.results import (
    METRICS,
    Attribution,
    BlockSignal,
    DepthSweep,
    EpochRecord,
    Faithfulness,
    GradientProfile,
    Interval,
    LabRecord,
    LabTrack,
    Prediction,
    Probe,
    Ranking,
    Run,
)
from resviz.spec.lab import Edit, LabPlan
from resviz.spec.net import NetSpec
from resviz.spec.query import to_query_string

GOLDEN = Path(__file__).parent / "golden" / "charts"
LAYERS = ("conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "fc")
BLOCKS = ("layer1.0", "layer2.0")
DECADES = (-9, 3)
TINY = NetSpec(blocks=(1, 1), in_channels=1)


def profiles() -> dict[str, GradientProfile]:
    """Ordinary norms, an exact zero and an overflow."""
    return {
        "residual": GradientProfile(LAYERS, np.array([0.21, 0.034, 1.5, 0.0071, 0.12, 2.25]), 2.3),
        "plain": GradientProfile(LAYERS, np.array([3.1e-8, 0.0, 4.4e-4, np.inf, 0.02, np.nan]), 2.3),
    }


def signals() -> dict[str, BlockSignal]:
    return {
        "residual": BlockSignal(BLOCKS, np.array([0.5, 0.25]), np.array([1.2, 3.4])),
        "plain": BlockSignal(BLOCKS, np.array([0.0, 2e-5]), np.array([0.9, 0.03])),
    }


def sweep() -> dict[str, DepthSweep]:
    norms = np.array([[1e-3, 0.2], [0.0, 30.0]])
    sweeps = {"residual": norms, "plain": np.array([[1e-20, 1.0], [np.inf, 2e-4]])}
    return {key: DepthSweep((8, 14), np.array([0.0, 1.0]), values, ()) for key, values in sweeps.items()}


def record() -> LabRecord:
    """Two contenders over twelve steps, of which the first rows are thinned; a skip, the rate and the clipping were changed."""
    edits = (
        Edit(3, "cut", 0, "layer2.0"),
        Edit(5, "lr", value=0.1),
        Edit(6, "clip", value=0.5),
        Edit(9, "restore", 0, "layer2.0"),
    )
    steps, rows = np.array([1, 2, 4, 8, 12]), 5
    ramp = np.arange(rows * len(LAYERS), dtype=np.float64).reshape(rows, -1)
    plain = 10.0 ** -(ramp / 3)
    plain[-1, 0], plain[-1, 2] = 0.0, np.inf
    tracks = tuple(
        LabTrack(
            label,
            residual,
            LAYERS,
            BLOCKS,
            loss=2.3 / (1 + np.arange(12) / (5 if residual else 40)),
            accuracy=np.linspace(10, 80 if residual else 25, 12),
            gradients=values,
            updates=values / 50,
            signals={
                name: np.array([[0.5, 0.25], [0.4, 2.0]]) / (1 + i + residual)
                for i, name in enumerate(("mean_square", "variance", "std", "branch_variance", "dead"))
            },
            held_out=np.array([[2.4, 9.0], [1.5, 55.0]]),
        )
        for label, residual, values in (("ResNet-6", True, 0.01 + ramp / 7), ("Plain-6", False, plain))
    )
    plan = LabPlan((TINY, TINY.plain()), edits=edits)
    return LabRecord(12, 10, np.arange(1, 13), steps, np.array([1, 8]), np.array([4, 12]), tracks, plan)


def runs() -> list[Run]:
    """Two residual networks and a plain one, two epochs each."""
    made = []
    for spec, start in ((TINY, 60.0), (TINY.plain(), 75.0), (NetSpec(blocks=(2, 2), in_channels=1), 50.0)):
        found = Probe(profiles()["residual"], signals()["residual"])
        epochs = tuple(
            EpochRecord(n, 2, start / n, 2.0 / n, start / n + 3, 2.1 / n, 1.0, found, (0.4 / n, 3.0 / n)) for n in (1, 2)
        )
        made.append(Run("tiny", {"spec": to_query_string(spec)}, np.array([2.3, 1.2]), epochs))
    return made


def worth() -> dict[str, Faithfulness]:
    fractions = np.array([0.0, 0.5, 1.0])
    return {
        title: Faithfulness(
            fractions,
            np.array([0.9, worth, 0.1]),
            np.array([0.2, worth, 0.9]),
            1.0,
            1.0,
            ("fc", "conv1"),
            np.array([worth, -worth]),
        )
        for title, worth in (("Saliency", 0.3), ("Grad-CAM", 0.6))
    }


def picture() -> Image.Image:
    """16×16 pixels, each another colour."""
    cells = np.arange(256).reshape(16, 16)
    return Image.fromarray(np.stack([cells, 255 - cells // 2, (37 * cells) % 256], -1).astype(np.uint8))


def evidence(signed: bool = True) -> Attribution:
    rows, columns = np.mgrid[0:8, 0:8]
    values = np.sin(1.0 + rows * 0.6 + columns * 0.4) * (1 + rows)
    return Attribution("saliency", 0, values if signed else np.abs(values), signed)


PREDICTION = Prediction(("cat", "dog", "<b>bird</b>"), np.array([0.25, 0.7, 0.05]))


# what our own view draws
def ranking() -> Ranking:
    """Two methods, of which the second is better, over one picture; one of them promises no completeness."""
    scores = {name: np.array([[0.5], [0.25]]) for name in METRICS}
    medians = {name: (Interval(0.5, 0.25, 1.0), Interval(0.25, 0.25, 0.5)) for name in METRICS}
    medians["completeness"] = (Interval(np.nan, np.nan, np.nan), Interval(0.25, 0.125, 0.5))
    ranks, first = (Interval(1.75, 1.5, 2.0), Interval(1.25, 1.0, 1.5)), (0.1, 0.9)
    about = "net", ("a.png",), ("cat",), ("A <b>", "B")
    return Ranking(*about, scores, medians, ranks=ranks, first=first, baseline="mean", survives={})


VIEWS: Mapping[str, Callable[[], Chart]] = {
    "gradient_profiles": lambda: gradients.gradient_profiles(profiles(), DECADES, "layer2.0.conv1", frozenset({"layer1.0"})),
    "gradient_profiles-one": lambda: gradients.gradient_profiles({"residual": profiles()["residual"]}, (-6, 3), height=300),
    "signal-gradient_norms": lambda: gradients.signal_figure(signals(), "gradient_norms"),
    "signal-activation_std": lambda: gradients.signal_figure(signals(), "activation_std"),
    "error_curves": lambda: training.error_curves(runs(), 2, top=training.highest(runs())),
    "error_curves-logarithmic": lambda: training.error_curves(runs(), logarithmic=True),
    "error_curves-none": lambda: training.error_curves([]),
    "branch_ratios": lambda: training.branch_ratios(runs()[:1], 2),
    "line_over_time-loss": lambda: lab.line_over_time(record(), "loss"),
    "line_over_time-accuracy": lambda: lab.line_over_time(record(), "accuracy", 4),
    "layer_lines-gradients": lambda: lab.layer_lines(record(), "gradients", 12, lab.gradient_decades(record()), "conv1"),
    "layer_lines-updates": lambda: lab.layer_lines(record(), "updates", 4),
    "waterfall-residual": lambda: lab.waterfall(record(), 0, lab.gradient_decades(record())),
    "waterfall-plain": lambda: lab.waterfall(record(), 1, lab.gradient_decades(record()), 4),
    "block_lines-std": lambda: lab.block_lines(record(), "std", 12),
    "block_lines-variance": lambda: lab.block_lines(record(), "variance", 4),
    "block_lines-dead": lambda: lab.block_lines(record(), "dead", 12),
    "propagation": lambda: lab.propagation(record(), 0, 12),
}
# what Plotly draws: in reports and files, and on pages where our view has nothing for it
PLOTLY: Mapping[str, Callable[[], go.Figure | Chart]] = {
    "file-gradient_profiles": lambda: gradients.gradient_profiles(profiles(), DECADES),
    "file-line_over_time": lambda: lab.line_over_time(record(), "loss"),
    "file-layer_lines": lambda: lab.layer_lines(record(), "gradients", 12, lab.gradient_decades(record())),
    "file-waterfall": lambda: lab.waterfall(record(), 1, lab.gradient_decades(record())),
    "file-block_lines": lambda: lab.block_lines(record(), "std", 12),
    "file-propagation": lambda: lab.propagation(record(), 0, 12),
    "depth_heatmaps": lambda: gradients.depth_heatmaps(sweep()),
    "prediction_bars": lambda: prediction.prediction_bars(PREDICTION, 2),
    "prediction_bars-html": lambda: prediction.prediction_bars(PREDICTION),
    "faithfulness-deletion": lambda: faithfulness.faithfulness_curves(worth(), False),
    "faithfulness-insertion": lambda: faithfulness.faithfulness_curves(worth(), True),
    "faithfulness-sanity": lambda: faithfulness.sanity_lines(worth()),
    "trust-ranks": lambda: trust.rank_dots(ranking()),
    "trust-metric": lambda: trust.metric_dots(ranking(), "completeness"),
    "attribution-signed": lambda: overlay.attribution_figure(picture(), evidence()),
    "attribution-magnitude": lambda: overlay.attribution_figure(picture(), evidence(False)),
}
OVERLAYS: Mapping[str, Callable[[], object]] = {
    f"overlay-{style}{'' if signed else '-magnitude'}": lambda style=style, signed=signed: overlay.overlay_image(
        picture(), evidence(signed), overlay.Look(0.75, style, 70.0, 0.75)
    )
    for style in overlay.OverlayStyle
    for signed in (True, False)
}


def of_plotly(figure: go.Figure | Chart) -> object:
    """A figure as Plotly gets it, without the template that every one has."""
    found = (to_plotly(figure) if isinstance(figure, Chart) else figure).to_plotly_json()
    found["layout"].pop("template", None)
    return found


# what Plotly does anyway, said or not
_DEFAULTS = (("width", 2), ("dash", "solid"), ("showgrid", True))


def lean(value: object) -> object:
    """What JSON can hold: numbers of six digits, pictures as their pixels."""
    if isinstance(value, Mapping):
        return {str(key): lean(entry) for key, entry in value.items() if (key, entry) not in _DEFAULTS}
    if isinstance(value, str) and value.startswith("data:image/png;base64,"):
        return lean(Image.open(io.BytesIO(base64.b64decode(value.partition(",")[2]))))
    if isinstance(value, Image.Image):
        return [
            [f"{red:02x}{green:02x}{blue:02x}" for red, green, blue in row] for row in np.asarray(value.convert("RGB")).tolist()
        ]
    if isinstance(value, np.ndarray):
        return lean(value.tolist())
    if isinstance(value, list | tuple):
        return [lean(entry) for entry in value]
    if isinstance(value, bool | str | None):
        return value
    number = float(value)  # type: ignore[arg-type]
    return float(f"{number:.6g}") if math.isfinite(number) else str(number)


def text_of(value: object, depth: int = 0) -> str:
    """JSON with a line for each entry of the outer levels, so that a change is a line of the diff."""
    margin, end = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, dict) and depth < 2 and value:
        inner = ("," + margin).join(f"{json.dumps(key)}: {text_of(entry, depth + 1)}" for key, entry in sorted(value.items()))
        return f"{{{margin}{inner}{end}}}"
    if isinstance(value, list) and depth < 2 and any(isinstance(entry, dict | list) for entry in value):
        return f"[{margin}{(',' + margin).join(text_of(entry, depth + 1) for entry in value)}{end}]"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def drawn() -> dict[str, object]:
    """Every chart by its file's name."""
    made = {name: lean(make().data()) for name, make in VIEWS.items()}
    made |= {name: lean(of_plotly(make())) for name, make in PLOTLY.items()}
    return made | {name: lean(make()) for name, make in OVERLAYS.items()}


def differences(now: object, golden: object, place: str = "") -> list[str]:
    """Where two charts are not the same; numbers may differ in the sixth digit, since processors do."""
    if isinstance(now, dict) and isinstance(golden, dict):
        return [
            each
            for key in sorted(now.keys() | golden.keys())
            for each in differences(now.get(key, "nothing"), golden.get(key, "nothing"), f"{place}.{key}")
        ]
    if isinstance(now, list) and isinstance(golden, list) and len(now) == len(golden):
        return [each for i, pair in enumerate(zip(now, golden, strict=True)) for each in differences(*pair, f"{place}[{i}]")]
    if isinstance(now, float) and isinstance(golden, float):
        return [] if math.isclose(now, golden, rel_tol=2e-5, abs_tol=1e-9) else [f"{place}: {now} was {golden}"]
    return [] if now == golden else [f"{place}: {now!r} was {golden!r}"]


@pytest.mark.parametrize("name", [*VIEWS, *PLOTLY, *OVERLAYS])
def test_a_chart_is_what_it_was(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    now = VIEWS[name]().data() if name in VIEWS else of_plotly(PLOTLY[name]()) if name in PLOTLY else OVERLAYS[name]()
    assert differences(lean(now), lean(golden)) == []


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*VIEWS, *PLOTLY, *OVERLAYS}


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for title, chart in drawn().items():
        (GOLDEN / f"{title}.json").write_text(text_of(chart) + "\n", encoding="utf-8")
