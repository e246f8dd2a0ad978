"""Home: one comparison to replay and to cut, ways on from there, and the paper's argument."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from urllib.parse import parse_qsl, urlsplit

import streamlit as st
from PIL import Image

from resviz.figures import captions, doors
from resviz.figures.diagram import network_diagram, to_svg
from resviz.figures.stage import stage_data
from resviz.nets.cost import layer_table
from resviz.results import Run
from resviz.spec.lab import plan_from_query
from resviz.spec.net import DESIGNS, Design
from resviz.spec.presets import PRESETS
from resviz.spec.query import to_query
from resviz.ui import cache as cached
from resviz.ui.components import diagram
from resviz.ui.components.stage import show_stage
from resviz.ui.first import reading
from resviz.ui.markdown import literal
from resviz.ui.page import PAGES
from resviz.ui.state import current_spec
from resviz.ui.story import story_map
from resviz.ui.tour.progress import tour_invitation

__all__ = ["show"]

_WITH_NORM = {"residual": "resnet56-cifar10", "plain": "plain56-cifar10"}  # recorded runs of the stage's networks


def show() -> None:
    """The stage, the tour, the doors to the pages, the map of the story, and why it works, folded."""
    _stage()
    tour_invitation()
    _doors()
    story_map()
    with st.expander("Why"):
        _problem()
        _idea()
        why, led = st.columns(2, gap="large")
        with why:
            _why_it_works()
        with led:
            _where_it_led()


def _stage() -> None:
    """The recorded comparison; a link that was followed in it stays in this session."""
    try:
        first = reading("home")
    except ValueError as error:
        st.warning(literal(str(error)), icon=":material/info:")
        return
    with st.container(key="stage"):
        show_stage(_data(), _go)
    st.caption(captions.stage_note(first.card, first.values["stage"].images))
    if where := st.session_state.pop("home.go", ""):
        st.switch_page(where, query_params={})


@cache
def _data() -> dict[str, object]:
    return stage_data(reading("home").values["stage"], _runs())


def _runs() -> dict[Design, Run]:
    """The networks of the stage with batch norm, as far as their recordings can be read."""
    found = {}
    for design in DESIGNS:
        try:
            found[design] = cached.run(_WITH_NORM[design])
        except ValueError:  # Degradation says what is wrong with it
            continue
    return found


def _go(where: str) -> None:
    """A link of the stage; it comes from the browser, so what is none leads nowhere."""
    link = urlsplit(where)
    if link.path == "degradation":
        st.session_state["home.go"] = "pages/degradation.py"
    elif link.path == "lab" and (plan := plan_from_query(dict(parse_qsl(link.query)))[0]) is not None:
        from resviz.ui.lab.session import hand_over

        hand_over(plan)
        st.session_state["home.go"] = "pages/lab.py"


def _doors() -> None:
    """Three ways on, each with a picture of what is there."""
    query = to_query(current_spec())
    pages = {page.title: page for page in PAGES}
    with st.container(key="doors"):
        for name, title, picture in (
            ("Build", "Build", _network),
            ("Train", "Lab", _curves),
            ("Explain a photo", "Explain", _evidence),
        ):
            with st.container(key=f"door-{title.lower()}"):
                if url := picture():
                    st.html(f'<img src="{url}" alt="">')
                st.page_link(pages[title].file, label=f"**{name}**: {pages[title].invitation}", query_params=query)


@cache
def _network() -> str:
    diagram = network_diagram(layer_table(PRESETS["resnet20"], 32))
    wordless = replace(diagram, shapes=tuple(shape for shape in diagram.shapes if shape.tag != "text"))
    return doors.svg_url(to_svg(wordless, "ResNet-20", themed=True))


@cache
def _curves() -> str:
    """How the stage's networks learned; no picture where their recording cannot be read."""
    try:
        return doors.svg_url(doors.learning_curves(reading("home").values["stage"]))
    except ValueError:
        return ""


@cache
def _evidence() -> str:
    """What Explain opens with; no picture where that cannot be read."""
    try:
        values = reading("explain").values
    except ValueError:
        return ""
    window = Image.open(io.BytesIO(values["window"].tobytes())).convert("RGB")
    return doors.explained(window.resize((224, 224)), next(reversed(values["maps"].values())))


def _problem() -> None:
    st.header("The problem", anchor=False)
    st.markdown(
        "A 56-layer plain network had a higher **training** error than a 20-layer one "
        "on CIFAR-10 ([He et al. 2015](https://arxiv.org/abs/1512.03385), figure 1). It is called degradation, and it is not "
        "overfitting: the deeper network contains the shallower one, if only its extra layers could learn to do nothing."
    )


def _idea() -> None:
    st.header("The idea", anchor=False)
    st.markdown(
        "Let the layers learn the **residual** F(x) = H(x) − x instead of the mapping H(x), and add x back: **y = F(x) + x**. "
        "An identity skip costs no parameters."
    )
    diagram.show_example("idea", PRESETS["resnet20"], 32, "layer1.0")


def _why_it_works() -> None:
    st.header("Why it works", anchor=False)
    st.markdown(
        "Argued, and not settled:\n"
        "- **The gradient has a way past F**: ∂y/∂x = ∂F/∂x + 1 at the addition ([He et al. 2016]"
        "(https://arxiv.org/abs/1603.05027)). The ReLU behind it breaks the chain of ones, which is why that paper moved it; and "
        "He et al. 2015 (§4.1) call vanishing gradients *unlikely* to be what ails plain networks with batch norm.\n"
        "- **The identity is at hand**: a block passes x on when F gives 0. With batch norm small weights do not do that, it "
        "scales them up again; its γ and β have to go to 0.\n"
        "- **A residual is easier to learn** than the whole mapping (He et al. 2015, §3.1). How much blocks add is "
        "measured: little in our ResNet-56, in most blocks of our ResNet-20 and ResNet-18 more than half of what passes by.\n\n"
        "More depth without skips can be trained by other means, and the gain is not trainability alone "
        "([2025](https://arxiv.org/abs/2506.14386)). What the norm and the initialisation do to each point, the pages measure."
    )


def _where_it_led() -> None:
    st.header("Where it led", anchor=False)
    st.markdown(
        "- **152 layers** on ImageNet, and ILSVRC 2015, won with 3.57 % top-5 error by an ensemble of six; **1202 layers** on "
        "CIFAR-10 in the same paper, worse than 110 ([He et al. 2015](https://arxiv.org/abs/1512.03385)); **1001 layers**, "
        "better than 110, a year later ([He et al. 2016](https://arxiv.org/abs/1603.05027)).\n"
        "- Skips that add in the **Transformer** ([2017](https://arxiv.org/abs/1706.03762)), that concatenate in **DenseNet** "
        "([2016](https://arxiv.org/abs/1608.06993)). Before it came skips with gates, **Highway networks** "
        "([May 2015](https://arxiv.org/abs/1505.00387)), and **U-Net**'s, which concatenate "
        "([May 2015](https://arxiv.org/abs/1505.04597)).\n"
        "- **Transfer learning**: pretrained ResNets as the start of detection, segmentation and much else."
    )
