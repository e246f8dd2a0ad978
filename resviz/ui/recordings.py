"""Recordings: a training of anybody's, or one of ours, gone through step by step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from resviz.figures import captions
from resviz.figures import recording as drawn
from resviz.guard import quoted
from resviz.results import Quantity, Recording
from resviz.training.detect import recorded_findings
from resviz.ui import cache
from resviz.ui.components.chart import line_chart
from resviz.ui.grammar import beside, chips, why
from resviz.ui.left_out import followed, leave_out, say_left_out
from resviz.ui.markdown import literal, sentence
from resviz.ui.page import Address
from resviz.ui.reading import read
from resviz.ui.state import went_back
from resviz.ui.widgets.epoch_player import player
from resviz.ui.widgets.pickers import digest

__all__ = ["show"]

_USUAL: Final = "plain56-cifar10"
_CHOSEN: Final = "recordings.chosen"
_OWN: Final = "recordings.own"  # (its name, which file, what it holds)
_LINKED: Final = "recordings.linked"  # what the address names
_AT_ONCE: Final = 8 << 20  # bytes that are read while the visitor waits
_TELLING: Final = {
    "56 layers without skips": "plain56-cifar10",
    "56 layers with skips": "resnet56-cifar10",
    "Photographs": "resnet18-imagenette",
}
_LINES: Final = """import resviz

watch = resviz.watch(model)  # before the loop
for inputs, targets in batches:
    loss = loss_of(model(inputs), targets)
    loss.backward()
    optimizer.step()
    watch.step(loss)  # after the optimizer's step
    optimizer.zero_grad()  # and before the gradients are cleared
watch.save("run.parquet")  # or "run.html", a report for any browser"""


def show(address: Address) -> None:
    """The file or run beside its waterfall, more measurements under it, and how to make such a file."""
    st.session_state.pop(_LINKED, None)
    st.fragment(run_every=0.5 if st.session_state.get("recordings.playing") else None)(_figures)()
    st.header("Record a training of your own", anchor=False)
    st.markdown("Any `nn.Module`, any loop. Three lines of it are ours: `watch`, `step` and `save`.")
    st.code(_LINES, language="python", wrap_lines=True)
    why(_WHY)
    address.add(_link())
    st.session_state[_LINKED] = st.session_state.get(_CHOSEN)


def _link() -> dict[str, str]:
    """A run of ours by its name; a visitor's file has no address, and then the usual one is named too."""
    chosen = st.session_state.get(_CHOSEN, "")
    ours = chosen in cache.run_names() and (chosen != _USUAL or _OWN in st.session_state)
    return {"run": chosen} if ours else {}


def _figures() -> None:
    """Redrawn alone while it plays and when something in it is used; another recording asks for the whole page, whose address names it."""
    stage, drawer = beside()
    with drawer:
        recording = _chosen()
        shown = _layers(recording) if recording else frozenset()
    with stage:
        say_left_out()
        chips({label: partial(st.session_state.update, {_CHOSEN: name}) for label, name in _TELLING.items()})
        if recording is None:
            st.info("Give a recording, or choose one of ours: its gradients appear here, step by step.", icon=":material/upload:")
            return
        at = player(recording.places, recording.unit.capitalize(), "recordings.")
        _waterfall(recording, shown, at)
        _said(recording, at)
        _files(recording)
    _measurements(recording, shown, at)
    if st.session_state.get(_LINKED) not in (None, st.session_state[_CHOSEN]):
        st.rerun()


# ------------------------------------------------------------------------------------------ which one


def _chosen() -> Recording | None:
    """The visitor's own, or one of those that come with the project; None where neither can be read."""
    state = st.session_state
    own = _own()
    names = [*([state[_OWN][0]] if own else []), *cache.run_names()]
    if not names:
        return None
    if _CHOSEN not in state or went_back():
        asked = {"run": st.query_params["run"]} if "run" in st.query_params else {}
        followed(asked)
        leave_out({name: run for name, run in asked.items() if run not in names})
        state[_CHOSEN] = asked.get("run", state[_OWN][0] if own else _USUAL)
    if state[_CHOSEN] not in names:
        state[_CHOSEN] = _USUAL if _USUAL in names else names[0]
    st.session_state["recordings.select"] = state[_CHOSEN]
    st.selectbox(
        "Recording",
        names,
        key="recordings.select",
        on_change=lambda: state.update({_CHOSEN: state["recordings.select"]}),
    )
    if own and state[_CHOSEN] == state[_OWN][0]:
        return _one_of(own)
    try:
        return cache.recording(state[_CHOSEN])
    except ValueError as error:
        st.warning(sentence(error), icon=":material/info:")
        return None


def _own() -> tuple[Recording, ...]:
    """What the visitor's file holds; it stays for the session, until another can be read in its place."""
    state = st.session_state
    file = st.file_uploader(
        "A recording (.parquet)",
        key="recordings.file",
        max_upload_size=64,
        help="What watch.save wrote, or Parquet from the Lab or `python -m resviz train`. It stays in this session's memory.",
    )
    if file is not None:
        data = file.getvalue()
        key = digest(data)
        found = read("recordings", key, "Reading the recording", partial(_opened, data, file.name), len(data) < _AT_ONCE)
        if isinstance(found, ValueError):
            st.error(sentence(found))
        elif found is not None and state.get(_OWN, ("", "", ()))[1] != key:
            state[_CHOSEN] = f"{quoted(file.name)} (yours)"
            state[_OWN] = state[_CHOSEN], key, found
            state.pop("recordings.epoch", None)  # the player begins at its end
    kept: tuple[Recording, ...] = state.get(_OWN, ("", "", ()))[2]
    return kept


def _opened(data: bytes, name: str, _tick: object) -> tuple[Recording, ...]:
    from resviz.watching.files import open_recording

    return open_recording(data, name)


def _one_of(own: tuple[Recording, ...]) -> Recording:
    """A lab's file holds several networks."""
    if len(own) == 1:
        return own[0]
    titles = [each.title for each in own]
    return own[titles.index(st.selectbox("Network in the file", titles, format_func=literal))]


def _layers(recording: Recording) -> frozenset[str]:
    """The layers that are drawn: those that are compared with each other, or all of them."""
    names = frozenset(recording.tables["gradient"].names)
    if names == recording.judged or len(recording.judged) < 2:
        return names
    every = st.toggle("Every layer", help="Norms, biases and the head too, whose gradients are of another kind and size.")
    return names if every else recording.judged


# ------------------------------------------------------------------------------------------ what it shows


def _waterfall(recording: Recording, shown: frozenset[str], at: int) -> None:
    st.markdown(f"**{literal(recording.title)}**: the gradient of every layer, {recording.unit} by {recording.unit}")
    figure = drawn.recorded_waterfall(recording, recording.tables["gradient"].only(shown), at)
    line_chart(figure, "recorded-fall", f"Gradient norm by layer and {recording.unit}", on_select=_select)


def _said(recording: Recording, at: int) -> None:
    st.markdown(captions.recording_note(recording, at))
    found = captions.recording_findings(recording, recorded_findings(recording, at))
    for each in found:
        st.markdown(f":material/error: {each}")
    if not found:
        st.markdown(captions.nothing_wrong(len(recording.judged)))


def _measurements(recording: Recording, shown: frozenset[str], at: int) -> None:
    """Profile and loss, then updates and activations where they were recorded."""
    st.header(f"{recording.unit.capitalize()} {at:,}, layer by layer", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        _profile(recording, "gradient", shown, at)
    with right:
        st.markdown("**Loss**")
        if recording.losses.size:
            line_chart(drawn.loss_line(recording, at), "recorded-loss", f"Loss by {recording.unit}")
        else:
            st.caption("No loss was given: watch.step(loss) records it.")
    rest: list[Quantity] = [name for name in ("update", "std", "dead") if name in recording.tables]
    for pair in (rest[:2], rest[2:]):
        for column, quantity in zip(st.columns(2, gap="medium"), pair, strict=False):
            with column:
                _profile(recording, quantity, shown, at)


_TITLES: Final[Mapping[Quantity, str]] = {
    "gradient": "Gradient of every layer",
    "update": "How far the weights move in a step",
    "std": "Activations: their standard deviation",
    "dead": "Dead units: what is 0 for every example of the batch",
}


def _profile(recording: Recording, quantity: Quantity, shown: frozenset[str], at: int) -> None:
    table = recording.tables[quantity]
    part = table.only(shown)
    table = part if part.names else table  # blocks have names of their own
    seen = int(table.steps[table.row(at)])
    when = "" if seen == at else f", {recording.unit} {seen:,}"
    st.markdown(f"**{_TITLES[quantity]}**{when}")
    figure = drawn.recorded_layers(recording, quantity, at, table, st.session_state.get("selected"))
    line_chart(figure, f"recorded-{quantity}", _TITLES[quantity], on_select=_select)


def _select(name: str) -> None:
    st.session_state["selected"] = name


def _files(recording: Recording) -> None:
    """All of it as a table, as a recording again, and as a report; each figure has its own SVG and PNG."""
    name = "".join(c if c.isalnum() or c in "-." else "-" for c in recording.title)[:40] or "recording"
    with st.container(horizontal=True):
        st.download_button("CSV", partial(_csv, recording), f"{name}.csv", "text/csv", on_click="ignore")
        st.download_button("Parquet", partial(_parquet, recording), f"{name}.parquet", on_click="ignore")
        st.download_button("Report (HTML)", partial(_report, recording), f"{name}.html", "text/html", on_click="ignore")


def _csv(recording: Recording) -> str:
    from resviz.watching.files import recording_frame

    return recording_frame(recording).to_csv(index=False)


def _parquet(recording: Recording) -> bytes:
    from resviz.watching.files import recording_parquet

    return recording_parquet(recording)


def _report(recording: Recording) -> bytes:
    from resviz.figures.reports.recording import recording_report
    from resviz.watching.telling import told

    return recording_report(recording, told(recording)).encode()


_WHY: Final = (
    "One picture in place of a panel for each layer: rows are layers in the order in which they are called, columns are steps, and the colour is "
    "the gradient's norm by powers of ten, so that a layer that stops learning is a stripe in the scale's lowest colour and an explosion one in its highest. "
    "A gradient alone says little: what a layer does with it is **how far its weights move against their own size**, which should be about as "
    "large in every layer; a common rule of thumb is a thousandth a step (Karpathy, CS231n). What is judged are weights of two and more dimensions, beside "
    "the last of them before the head: within a factor of 100 they count as level, which every training recorded here stays within. "
    "A watch looks at every tenth step unless it is told otherwise; of long trainings the last 64 looks are kept whole and the ones before "
    "evenly thinned, so that no run is too long."
)
