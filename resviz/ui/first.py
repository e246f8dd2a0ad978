"""A fresh server's pages: the first figure as it was measured, at once, until PyTorch is there to measure it again."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import streamlit as st

from resviz.results import Landscape, Probe
from resviz.spec.net import DESIGNS, Design, NetSpec
from resviz.ui.cache import warm_up
from resviz.ui.grammar import beside, chips
from resviz.zoo.first import First, read_first

__all__ = ["explanation", "landscapes", "lesions", "meanwhile", "profiles", "step", "unit"]

reading = cache(read_first)


def meanwhile(name: str, draw: Callable[[First], None], usual: bool = True, above: Callable[[], None] = lambda: None) -> bool:
    """True where PyTorch still loads; `draw` has then drawn the first figure, which the page measures again by itself when it is there.

    The figure stands where the page's own will, under what `above` draws. `usual` is False where the link asks for something else than the page opens with: nothing is shown then that was not asked.
    """
    if not warm_up().is_alive():
        return False
    place, _ = beside()
    with place:
        above()
        chips({})
        _figure(name, draw, usual)
    _poll()
    return True


def _figure(name: str, draw: Callable[[First], None], usual: bool) -> None:
    if usual:
        try:
            first = reading(name)
        except ValueError as error:
            st.caption(f"The figure that is shown while PyTorch loads is missing: {error}.")
        else:
            draw(first)
            st.caption(
                f"As measured on {first.card['measured']} ({first.card['machine']}); measured again here once PyTorch is loaded."
            )
    else:
        st.info("Loading PyTorch to measure what the link asks for…", icon=":material/hourglass:")


@st.fragment(run_every=0.4)
def _poll() -> None:
    if not warm_up().is_alive():
        st.rerun()


def profiles(first: First) -> None:
    """Both networks' gradients and what follows from them."""
    from resviz.figures import axes, captions, gradients
    from resviz.ui.components.chart import line_chart

    probes: dict[Design, Probe] = {key: first.values[key] for key in DESIGNS}
    by_design = {key: probe.profile for key, probe in probes.items()}
    decades = axes.log_range(np.concatenate([profile.norms for profile in by_design.values()]), 0, 0)
    line_chart(
        gradients.gradient_profiles(by_design, decades), "first-profile", "Gradient norm of every layer, with and without skips"
    )
    st.markdown(captions.comparison(probes, {"residual": NetSpec(), "plain": NetSpec().plain()}))


def step(first: First) -> None:
    """The contenders' gradients at the lab's first step."""
    from resviz.figures import captions, lab
    from resviz.ui.components.chart import line_chart

    record = first.values["record"]
    figure = lab.layer_lines(record, "gradients", record.step, lab.gradient_decades(record))
    line_chart(figure, "first-step", "Gradient norm of every layer at the first step")
    st.markdown(captions.lab_note(record, record.step))


def explanation(first: First) -> None:
    """What the first network says of the first sample, and where the evidence lies."""
    from PIL import Image

    from resviz.figures import captions
    from resviz.ui.components.evidence import panel, photo_url

    values = first.values
    window = Image.open(io.BytesIO(values["window"].tobytes()))
    st.markdown(captions.prediction_note(values["prediction"]))
    photo = photo_url(window)
    with st.container(key="panels-first"):
        for name, attribution in {"photograph": None, **values["maps"]}.items():
            with st.container(key=f"panel-first-{name.replace('@', '-')}"):
                side = next(iter(values["maps"].values())).values.shape[0]
                title = name.replace("@", " · ").replace("-", " ").capitalize()
                panel(photo, side, f"first-{name}", title, f"{title} of {values['sample']}", attribution)


def unit(first: First) -> None:
    """What the first network's first block does to the first sample."""
    from resviz.figures import captions
    from resviz.results import Inside
    from resviz.spec.spot import Spot
    from resviz.ui.components.rows import rows

    about = dict(first.values)
    identity, residual = about["identity"], about["residual"]
    joined = identity + residual
    said = {name: about[name] for name in ("unit", "mapped", "activation")}
    seen = Inside(identity=identity, residual=residual, joined=joined, output=np.maximum(joined, 0), **said)
    st.markdown(captions.unit_note(seen))
    st.caption(f"{about['network']}, asked about the sample {about['sample']}.")
    ordered = seen.ordered("energy")
    channel = int(ordered[0])
    rows(seen, ordered[:10].tolist(), Spot(seen.unit, channel, seen.strongest(channel)), "", key="first-rows")


def lesions(first: First) -> None:
    """The network that the page begins with, painted with the error without each branch, and what that comes to."""
    from resviz.spec.lesion import Lesion
    from resviz.spec.query import resnet_of
    from resviz.ui.anatomy.picture import answered, painted

    values = first.values
    spec = resnet_of(values["spec"])
    errors, base = values["dropped"], values["base"]
    with st.container(key="reserve-anatomy"), st.container():  # as the page has it, so that nothing stale is left beside it
        painted("first-lesions", spec, values["side"], Lesion(), "drop", errors=errors, base=base, act=lambda _: None)
        answered(Lesion(), (base, base), values["pictures"])


def landscapes(first: First) -> None:
    """The loss around the first two networks."""
    from resviz.ui.landscape.maps import maps, said

    both: dict[Design, Landscape] = {design: first.values[design] for design in DESIGNS}
    maps(both, "picture")
    said(both, first.values["trained"], first.values["depth"])
