"""Sweeps: many trainings at once, as maps, lines and a table; and the plan of one's own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from typing import Final
from urllib.parse import urljoin

import pandas as pd
import streamlit as st

from resviz.figures import captions
from resviz.figures.sweep import sweep_lines, sweep_map
from resviz.guard import brief
from resviz.spec.fields import SpecError
from resviz.spec.sweep import MEASURES, PROBES, read_sweep
from resviz.ui.components.chart import chart, line_chart
from resviz.ui.grammar import beside, chips, why
from resviz.ui.markdown import sentence
from resviz.ui.widgets.pickers import digest
from resviz.zoo.sweeps import axes_of, bundled_sweep, read_table, sweep_names

__all__ = ["show"]

_OWN: Final = "sweeps.own"
_ANY: Final = "any"


def show() -> None:
    """The map beside what it is of, lines along one axis, every run, and how to make such a table."""
    place, drawer = beside()
    with drawer:
        table = _table()
        view = _view(table) if table is not None else None
    with place:
        chips({label: partial(st.session_state.update, setting) for label, setting in _TELLING.items()})
        if table is None or view is None:
            st.info("Give a table that `python -m resviz sweep` wrote: its map appears here.", icon=":material/upload:")
        else:
            _figures(table, *view)
    if table is not None:
        _runs(table)
    _plan()
    why(_WHY)


_TELLING: Final = {
    "Depth and skips": {"sweeps.down": "skips", "sweeps.across": "depth", "sweeps.measure": "accuracy"},
    "Norm and skips": {"sweeps.down": "norm", "sweeps.across": "skips", "sweeps.measure": "accuracy"},
    "Initialisations": {"sweeps.down": "init", "sweeps.across": "norm", "sweeps.measure": "accuracy"},
    "The first gradient": {"sweeps.down": "skips", "sweeps.across": "depth", "sweeps.measure": "ratio"},
}


@st.cache_data(max_entries=4, show_spinner=False)
def _bundled(name: str) -> pd.DataFrame:
    return bundled_sweep(name)


def _table() -> pd.DataFrame | None:
    """The visitor's own table, or one of ours."""
    file = st.file_uploader(
        "A sweep's table (.parquet)", key="sweeps.file", max_upload_size=64, help="It stays in this session's memory."
    )
    if file is not None:
        data = file.getvalue()
        if st.session_state.get(_OWN, ("", None))[0] != digest(data):
            try:
                st.session_state[_OWN] = digest(data), read_table(data)
            except ValueError as error:
                st.error(sentence(error))
    names = [*(["yours"] if _OWN in st.session_state else []), *sweep_names()]
    name = st.selectbox("Table", names, key="sweeps.table")
    if name == "yours":
        own: pd.DataFrame = st.session_state[_OWN][1]
        return own
    try:
        return _bundled(name)
    except ValueError as error:
        st.warning(sentence(error), icon=":material/info:")
        return None


def _view(table: pd.DataFrame) -> tuple[str, str, str, pd.DataFrame] | None:
    """Which axes the map is over, what it is of, and the rows that are left where other axes are held."""
    axes = axes_of(table)
    if len(axes) < 2:
        st.info("This sweep varies fewer than two things: its runs are in the table below.")
        return None
    names = list(axes)
    measures = [name for name in MEASURES if name in table]
    down = _choice("Rows", names, "sweeps.down", "skips")
    across = _choice("Columns", [name for name in names if name != down], "sweeps.across", "depth")
    measure = _choice("Measured", measures, "sweeps.measure", "accuracy", titles=True)
    left = table
    with st.expander("Hold the others", expanded=True):
        for name in names:
            if name not in (down, across):
                held = st.selectbox(
                    name, [_ANY, *map(str, axes[name])], key=f"sweeps.held.{name}", help="any: the median over all of them"
                )
                left = left if held == _ANY else left[left[name].astype(str) == held]
    return down, across, measure, left


def _choice(label: str, options: Sequence[str], key: str, usual: str, titles: bool = False) -> str:
    if st.session_state.get(key) not in options:
        st.session_state[key] = usual if usual in options else options[0]
    return str(st.selectbox(label, options, key=key, format_func=lambda name: MEASURES[name].title if titles else name))


def _figures(table: pd.DataFrame, down: str, across: str, measure: str, left: pd.DataFrame) -> None:
    """The map, the lines along its columns, and what it comes to."""
    axes = axes_of(table)
    about = MEASURES[measure]
    title = f"{about.title}{', ' + about.unit if about.unit else ''}"
    if left.empty:
        st.info("No run has these settings together: some combinations no network can be built from. Hold fewer of them.")
        return
    st.markdown(f"**{title[0].upper()}{title[1:]}**: the median of the runs; point at one for their least and greatest")
    chart(sweep_map(left, down, across, axes, measure), "sweep-map", f"{title} by {down} and {across}")
    line_chart(sweep_lines(left, across, down, axes, measure), "sweep-lines", f"{title} along {across}, a line for each {down}")
    st.markdown(captions.skips_over_all(left))


def _runs(table: pd.DataFrame) -> None:
    """Every run, with ways to its network."""
    st.header("Every run", anchor=False)
    home = st.context.url or ""
    links = table.assign(
        gradients=[urljoin(home, f"gradients?{network}") for network in table["network"]],
        build=[urljoin(home, f"build?{network}") for network in table["network"]],
    ).drop(columns=["machine", "version"], errors="ignore")
    ways = {name: st.column_config.LinkColumn(name, display_text="open") for name in ("gradients", "build")}
    st.dataframe(links, hide_index=True, height=320, column_config=ways, alt="Every run of the sweep")
    with st.container(horizontal=True):
        st.download_button("Runs (CSV)", lambda: str(table.to_csv(index=False)), "sweep.csv", "text/csv", on_click="ignore")
        st.download_button("Runs (Parquet)", partial(_parquet, table), "sweep.parquet", on_click="ignore")


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


_CHOICES: Final = {
    "depth": ["8", "20", "32", "56", "110"],
    "skips": ["all", "none"],
    "norm": ["batch", "group", "none"],
    "init": ["kaiming", "pytorch", "zero-gamma", "fixup"],
    "shortcut": ["A", "B", "C", "D"],
    "width": ["8", "16", "32", "64"],
    "activation": ["relu", "gelu", "tanh", "sigmoid"],
}


def _plan() -> None:
    """A plan by clicking; the command does it, since hundreds of trainings are nothing for a page."""
    st.header("Plan your own", anchor=False)
    st.markdown(
        "Choose what is varied: the plan is a text file, and one command does every combination, on all processors, resumed whenever it was stopped."
    )
    columns = st.columns(4)
    grid = {}
    for i, (name, values) in enumerate(_CHOICES.items()):
        usual = {"depth": ["8", "20", "56"], "skips": values, "norm": ["batch", "none"]}.get(name, [])
        if chosen := columns[i % 4].multiselect(name, values, default=usual, key=f"sweeps.plan.{name}"):
            grid[name] = chosen
    first, left, right, _ = st.columns([2, 1, 1, 1])
    probe = first.selectbox("Measured", list(PROBES), format_func=PROBES.__getitem__, key="sweeps.plan.probe")
    seeds = left.number_input("Seeds", 1, 100, 3, key="sweeps.plan.seeds")
    trains = probe != "gradients"
    steps = right.number_input("Steps", 1, 100_000, 150, step=50, key="sweeps.plan.steps", disabled=not trains)
    text = _toml(grid, probe, int(seeds), int(steps) if trains else None)
    try:
        plan = read_sweep(text)
    except SpecError as error:
        st.warning(sentence(brief(error, 300)), icon=":material/info:")
        return
    impossible = f"; {len(plan.left_out)} combinations can be built by nobody and are left out" if plan.left_out else ""
    st.markdown(f"**{len(plan.runs)} {'trainings' if trains else 'networks'}**{impossible}.")
    st.code(f"{text}\n# python -m resviz sweep plan.toml --estimate\n# python -m resviz sweep plan.toml", language="toml")
    st.download_button("The plan (TOML)", text, "plan.toml", "application/toml", on_click="ignore")


def _toml(grid: dict[str, list[str]], probe: str, seeds: int, steps: int | None) -> str:
    about = [f'probe = "{probe}"', 'data = "digits"', *([f"steps = {steps}"] if steps else []), f"seeds = {list(range(seeds))}"]
    lists = [
        f"{name} = [{', '.join(value if value.isdecimal() else repr(value).replace(chr(39), chr(34)) for value in values)}]"
        for name, values in grid.items()
    ]
    return "\n".join([*about, "", "[grid]", *lists, ""])


_WHY: Final = (
    "One network trained once is an anecdote: whether skips help is asked here of every depth, normalisation and initialisation at once, each from several "
    "seeds, which draw other weights and other batches. Few steps on small digits say how a design *begins* to learn, and not what it would know after an "
    "epoch of ImageNet. A training that diverges is a result like another. "
    "Without its skip a block whose γ begins at 0 passes nothing on, so that such a network cannot begin to learn. What no network can be built from is left out: zero-γ needs a norm, and Fixup is for "
    "networks without one (Zhang et al. 2019, arXiv 1901.09321)."
)
